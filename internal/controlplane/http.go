package controlplane

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Bounds of every connection and request. Streams lift the two whole-request
// times for themselves and bound each of their writes instead.
const (
	readHeaderTimeout = 10 * time.Second
	requestTimeout    = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10

	// maxConcurrentStreams is for one HTTP/2 connection. The workers of an agent
	// share connections, each with a stream and a few calls; beyond this a client
	// opens another connection or waits.
	maxConcurrentStreams = 500
	// A peer that answers no HTTP/2 PING for this long is gone, and its streams
	// with it.
	http2PingAfter   = 15 * time.Second
	http2PingTimeout = 15 * time.Second
	// http2WriteTimeout is how long a peer may leave its connection's window shut.
	http2WriteTimeout = 30 * time.Second
	// maxUploadBuffer bounds what one HTTP/2 connection may send ahead of being read.
	maxUploadBuffer = 1 << 20
)

// newHTTPServer serves HTTP/1.1, HTTP/2 over TLS and HTTP/2 without TLS.
func newHTTPServer(handler http.Handler, logger *zap.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	// Handshakes that fail and peers that vanish are everyday events of a public
	// port, not faults of the server.
	errorLog, err := zap.NewStdLogAt(logger.Named("http"), zap.DebugLevel)
	if err != nil {
		errorLog = zap.NewStdLog(logger.Named("http"))
	}
	unused := newUnusedConns()
	server := &http.Server{
		ConnState:         unused.note,
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
		// Requests outlive the context that started the server; Shutdown ends them.
		BaseContext: func(net.Listener) context.Context { return context.Background() },
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxConcurrentStreams,
			SendPingTimeout:               http2PingAfter,
			PingTimeout:                   http2PingTimeout,
			WriteByteTimeout:              http2WriteTimeout,
			MaxReceiveBufferPerConnection: maxUploadBuffer,
		},
	}

	server.RegisterOnShutdown(unused.close)
	return server
}
