// Command pause waits. It is process 1 twice: of the local cluster's node, whose namespaces live as
// long as it does, and of every pod, where it takes over orphans so that no zombie stays.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

// reap collects every child that has ended.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		reap()
	}
}
