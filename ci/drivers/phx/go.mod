module phxspec/driver

go 1.18

require github.com/nshafer/phx v0.2.0

require github.com/gorilla/websocket v1.5.0 // indirect
