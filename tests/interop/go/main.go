// TarsGo as a peer of scripts/interop.sh, `go server PORT PORT PORT` and `go client PORT`, and of scripts/bench-rpc.sh,
// `go load ..`.
package main

import (
	"fmt"
	"os"
)

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 4 && args[0] == "server":
		if err := serve(args[1], args[2], args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(args) == 2 && args[0] == "client":
		callAll(args[1])
	case len(args) == 6 && args[0] == "load":
		if err := load(args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "server PORT PORT PORT, or client PORT, or load PORT CONNECTIONS OUTSTANDING SIZE SECONDS")
		os.Exit(2)
	}
}
