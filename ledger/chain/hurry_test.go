package chain

import (
	"testing"
	"testing/synctest"
	"time"

	cometconfig "github.com/cometbft/cometbft/config"
)

func TestLookingIsFastOnlyWhileThereIsSomethingToAgreeOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := cometconfig.DefaultConsensusConfig()
		p := newPace(settings)
		defer p.rest.Stop()
		for range 3 {
			p.hurry()
			time.Sleep(restAfter / 2)
			if settings.PeerGossipSleepDuration != lookFast {
				t.Fatalf("in a hurry it sleeps for %v", settings.PeerGossipSleepDuration)
			}
		}
		time.Sleep(restAfter)
		synctest.Wait()
		if settings.PeerGossipSleepDuration != lookSlow {
			t.Errorf("at rest it sleeps for %v", settings.PeerGossipSleepDuration)
		}
	})
}
