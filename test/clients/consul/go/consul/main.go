// Stands in for the program `consul` in the tests of HashiCorp's client: `consul agent -config-file FILE` has the
// test that listens at ROSTER_AGENTS start Roster as FILE says, and keeps it until it is interrupted.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
)

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "version":
		fmt.Println(`{"Version": "1.22.3"}`)
	case len(os.Args) > 3 && os.Args[1] == "agent" && os.Args[2] == "-config-file":
		agent(os.Args[3])
	default:
		fmt.Fprintf(os.Stderr, "consul %v: only version and agent -config-file FILE are known\n", os.Args[1:])
		os.Exit(2)
	}
}

func agent(file string) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	connection, err := net.Dial("tcp", os.Getenv("ROSTER_AGENTS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(connection, file)
	go func() {
		<-interrupted
		connection.(*net.TCPConn).CloseWrite()
	}()
	// The server has ended when the other side closes; before that it says what was wrong.
	said, _ := io.ReadAll(connection)
	if len(said) > 0 {
		fmt.Fprint(os.Stderr, string(said))
		os.Exit(1)
	}
}
