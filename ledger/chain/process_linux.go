package chain

import (
	"os/exec"
	"syscall"
)

// diesWith has a process be killed when the thread that starts it ends, so that with a clinic that is killed its chain is too,
// in that moment. Without, it ends by itself a little later.
func diesWith(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
