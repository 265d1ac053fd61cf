// SPDX-License-Identifier: MIT

// The client phx for Go: commands on stdin, events on stdout; harness/DRIVER.md describes both.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nshafer/phx"
)

type members = map[string]any

var out sync.Mutex

func say(event string, more members) {
	line := members{"event": event}
	for key, value := range more {
		line[key] = value
	}
	text, _ := json.Marshal(line)
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

type command struct {
	Do, Channel, Push, Name, Listener, Topic, Vsn, Url string
	Listen                                             []string
	Params                                             members
	Payload                                            any
	Timeout                                            int `json:"timeout_ms"`
	Options                                            struct {
		Heartbeat int   `json:"heartbeat_ms"`
		Timeout   int   `json:"timeout_ms"`
		Reconnect []int `json:"reconnect_ms"`
		Rejoin    []int `json:"rejoin_ms"`
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// A table of delays whose last one repeats.
func table(delays []int) func(int) time.Duration {
	return func(tries int) time.Duration {
		if tries > len(delays) {
			tries = len(delays)
		}
		return ms(delays[tries-1])
	}
}

// What belongs to one case.
type play struct {
	socket   *phx.Socket
	options  command
	channels map[string]*phx.Channel
	bindings map[string]phx.Ref
}

// Parameters are part of the endpoint there, and a map is a matter of the program.
func query(values url.Values, name string, value any) {
	if inner, ok := value.(members); ok {
		for key, value := range inner {
			query(values, name+"["+key+"]", value)
		}
		return
	}
	values.Set(name, fmt.Sprint(value))
}

func (p *play) connect(c command) error {
	if p.socket != nil {
		return p.socket.Connect()
	}
	endpoint, err := url.Parse(c.Url)
	if err != nil {
		return err
	}
	values := endpoint.Query()
	for name, value := range c.Params {
		query(values, name, value)
	}
	endpoint.RawQuery = values.Encode()
	p.options = c
	p.socket = phx.NewSocket(endpoint)
	p.socket.Logger = phx.NewSimpleLogger(phx.LogWarning)
	if c.Vsn == "1.0.0" {
		p.socket.Serializer = phx.NewJSONSerializerV1()
	}
	if c.Options.Heartbeat > 0 {
		p.socket.HeartbeatInterval = ms(c.Options.Heartbeat)
	}
	if len(c.Options.Reconnect) > 0 {
		p.socket.ReconnectAfterFunc = table(c.Options.Reconnect)
	}
	p.socket.OnOpen(func() { say("open", nil) })
	p.socket.OnClose(func() { say("close", nil) })
	p.socket.OnError(func(err error) { say("error", members{"reason": err.Error()}) })
	return p.socket.Connect()
}

func (p *play) channel(c command) error {
	params := map[string]string{} // with nil the payload of a join is null
	for name, value := range c.Params {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("params: %s is no string, and phx takes a map[string]string", name)
		}
		params[name] = text
	}
	made := phx.NewChannel(c.Topic, params, p.socket)
	if p.options.Options.Timeout > 0 {
		made.PushTimeout = ms(p.options.Options.Timeout)
	}
	if len(p.options.Options.Rejoin) > 0 {
		made.RejoinAfterFunc = table(p.options.Options.Rejoin)
	}
	p.channels[c.Channel] = made
	for _, name := range c.Listen {
		p.listen(command{Channel: c.Channel, Name: name, Listener: name})
	}
	state := func(name string) func(any) {
		return func(any) { say("channel", members{"channel": c.Channel, "state": name}) }
	}
	made.OnJoin(state("joined"))
	made.OnError(state("errored"))
	made.OnClose(state("closed"))
	return nil
}

func (p *play) listen(c command) {
	p.bindings[c.Channel+"/"+c.Listener] = p.channels[c.Channel].On(c.Name, func(payload any) {
		more := members{"channel": c.Channel, "name": c.Name, "payload": payload}
		if c.Listener != c.Name {
			more["listener"] = c.Listener
		}
		say("message", more)
	})
}

func (p *play) receive(push *phx.Push, more members, statuses ...string) {
	for _, status := range statuses {
		status := status
		push.Receive(status, func(response any) {
			reply := members{"status": status, "response": response}
			for key, value := range more {
				reply[key] = value
			}
			say("reply", reply)
		})
	}
}

func (p *play) do(c command) error {
	channel := p.channels[c.Channel]
	if channel == nil && c.Channel != "" && c.Do != "channel" {
		return errors.New("there is no such channel")
	}
	switch c.Do {
	case "connect":
		return p.connect(c)
	case "disconnect":
		return p.socket.Disconnect()
	case "channel":
		return p.channel(c)
	case "listen":
		p.listen(c)
	case "unlisten":
		channel.Off(p.bindings[c.Channel+"/"+c.Listener])
	case "join":
		push, err := channel.Join()
		if err == nil {
			p.receive(push, members{"channel": c.Channel, "to": "join"}, "ok", "error", "timeout")
		}
		return err
	case "leave":
		push, err := channel.Leave()
		if err == nil {
			p.receive(push, members{"channel": c.Channel, "to": "leave"}, "ok", "error", "timeout")
		}
		return err
	case "push":
		usual := channel.PushTimeout
		if c.Timeout > 0 {
			channel.PushTimeout = ms(c.Timeout)
		}
		push, err := channel.Push(c.Name, c.Payload)
		channel.PushTimeout = usual
		if err == nil {
			p.receive(push, members{"channel": c.Channel, "push": c.Push}, "ok", "error", "other", "timeout")
		}
		return err
	default:
		return errors.New("no such command")
	}
	return nil
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/nshafer/phx" {
			return module.Version
		}
	}
	return "unknown"
}

// Plays one case.
func oneCase() {
	p := &play{channels: map[string]*phx.Channel{}, bindings: map[string]phx.Ref{}}
	lines := commands()
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil && c.Do == "sync" {
			say("synced", nil)
		} else if err == nil {
			err = p.do(c)
		}
		if err != nil {
			say("failed", members{"do": c.Do, "reason": err.Error()})
		}
	}
}

func commands() *bufio.Scanner {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	return lines
}

// Goroutines of a socket outlive its end, and may end the program when they meet; so each case has a process.
func startCase() (*exec.Cmd, io.Writer) {
	process := exec.Command(os.Args[0], "case")
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	pipe, err := process.StdinPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return process, pipe
}

func main() {
	if len(os.Args) > 1 {
		oneCase()
		return
	}
	say("hello", members{"protocol": 1, "name": "phx", "version": version(), "capabilities": []string{
		"websocket", "vsn1", "vsn2", "heartbeat_ms", "timeout_ms", "push_timeout_ms", "reconnect_ms", "rejoin_ms", "listeners",
	}})
	process, pipe := startCase()
	lines := commands()
	for lines.Scan() {
		var c command
		if json.Unmarshal(lines.Bytes(), &c) == nil && c.Do == "reset" {
			process.Process.Kill()
			process.Wait()
			say("reset", nil)
			process, pipe = startCase()
		} else if _, err := pipe.Write(append(lines.Bytes(), '\n')); err != nil {
			fmt.Fprintln(os.Stderr, "the client ended:", process.Wait())
			os.Exit(1)
		}
	}
	process.Process.Kill()
}
