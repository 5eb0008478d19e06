// Command runc is runc for a machine that is itself a container without every right: what the kernel refuses there
// (capabilities outside of the bounding set, limits above the hard one, a lower oom_score_adj than this process has)
// is taken out of a container's specification before the real runc reads it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// real is the runc that does the work: the first place is a node's, the second Debian's.
var real = []string{"/usr/local/sbin/runc.real", "/usr/sbin/runc"}

// resource is the number of CAP_SYS_RESOURCE, which raises limits and lowers oom_score_adj.
const resource = 24

type object = map[string]any

func main() {
	if path, whole := specification(os.Args[1:]); path != "" && !allowed(resource) {
		if err := mend(path, whole); err != nil {
			fmt.Fprintf(os.Stderr, "runc: the specification %s: %v\n", path, err)
			os.Exit(1)
		}
	}
	for _, path := range real {
		if _, err := os.Stat(path); err == nil {
			os.Args[0] = path
			fmt.Fprintln(os.Stderr, "runc:", syscall.Exec(path, os.Args, os.Environ()))
			os.Exit(127)
		}
	}
	fmt.Fprintln(os.Stderr, "runc: there is none at", strings.Join(real, " or "))
	os.Exit(127)
}

// specification returns the file that a command reads: a container's, or a process's alone (exec).
func specification(words []string) (path string, whole bool) {
	verb, bundle, process := "", ".", ""
	for i, word := range words {
		name, value, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		switch name {
		case "create", "run", "exec":
			if verb == "" {
				verb = name
			}
		case "--bundle", "-b":
			bundle = value
		case "--process", "-p":
			process = value
		}
	}
	switch verb {
	case "create", "run":
		return bundle + "/config.json", true
	case "exec":
		return process, false
	}
	return "", false
}

// allowed tells whether a capability is in the bounding set.
func allowed(capability int) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return true
	}
	for _, line := range strings.Split(string(status), "\n") {
		if mask, found := strings.CutPrefix(line, "CapBnd:"); found {
			bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return err != nil || bits&(1<<capability) != 0
		}
	}
	return true
}

// mend rewrites a specification so that it asks for nothing that is refused.
func mend(path string, whole bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	spec := object{}
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	process := spec
	if whole {
		process, _ = spec["process"].(object)
	}
	if process == nil {
		return nil
	}
	dropCapability(process, "CAP_SYS_RESOURCE")
	raiseScore(process)
	lowerLimits(process)
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func dropCapability(process object, unwanted string) {
	sets, _ := process["capabilities"].(object)
	for name, set := range sets {
		kept := []any{}
		all, _ := set.([]any)
		for _, each := range all {
			if each != unwanted {
				kept = append(kept, each)
			}
		}
		sets[name] = kept
	}
}

func raiseScore(process object) {
	asked, found := process["oomScoreAdj"].(float64)
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if !found || err != nil {
		return
	}
	own, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err == nil && asked < own {
		process["oomScoreAdj"] = own
	}
}

// lowerLimits keeps the limit of open files, at most the hard one, and leaves the others as they are inherited.
func lowerLimits(process object) {
	limits, found := process["rlimits"].([]any)
	if !found {
		return
	}
	var own syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own) != nil {
		return
	}
	kept := []any{}
	for _, each := range limits {
		limit, _ := each.(object)
		if limit["type"] != "RLIMIT_NOFILE" {
			continue
		}
		for _, name := range []string{"hard", "soft"} {
			if value, found := limit[name].(float64); found && value > float64(own.Max) {
				limit[name] = own.Max
			}
		}
		kept = append(kept, limit)
	}
	process["rlimits"] = kept
}
