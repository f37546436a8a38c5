package main

import (
	"strings"
	"testing"
)

func TestConfigClinicsNameHasNothingUnseen(t *testing.T) {
	for name, isRefused := range map[string]bool{"Hillside A&E, No. 4": false, "Clínica «La Loma»": false, "Hill\u200bside": true, "Hillside\u202e": true, "Hill\nside": true} {
		err := (&Config{Listen: "localhost:8080", Name: name}).complete()
		if got := err != nil && strings.Contains(err.Error(), "cannot be seen"); got != isRefused {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
