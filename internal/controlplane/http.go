package controlplane

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Limits of every connection and request. Streams replace the time limit of a
// request by one for each write.
const (
	readHeaderTimeout = 10 * time.Second
	requestTimeout    = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10

	// maxConcurrentStreams is the limit of one HTTP/2 connection. The workers of an
	// agent share connections, each with a stream and a few calls; beyond the limit
	// a client opens another connection or waits.
	maxConcurrentStreams = 500
	// A connection on which nothing was received for http2PingAfter gets an HTTP/2
	// PING, and is closed, with its streams, if there is no response.
	http2PingAfter   = 15 * time.Second
	http2PingTimeout = 15 * time.Second
	// http2WriteTimeout is how long a write to a connection may take.
	http2WriteTimeout = 30 * time.Second
	// maxUploadBuffer bounds the bytes of one HTTP/2 connection that were received
	// and not read yet.
	maxUploadBuffer = 1 << 20
	// sendBuffer bounds what the system keeps of a response that its peer does not read,
	// in bytes; Linux takes twice as much. It would keep up to 4 MiB of a connection.
	sendBuffer = 256 << 10
)

// newHTTPServer returns a server for HTTP/1.1, HTTP/2 over TLS and HTTP/2 without
// TLS, with so many connections at a time.
func newHTTPServer(handler http.Handler, most int, logger *zap.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	// Failed handshakes and lost peers are normal on a public port: debug level.
	errorLog, err := zap.NewStdLogAt(logger.Named("http"), zap.DebugLevel)
	if err != nil {
		errorLog = zap.NewStdLog(logger.Named("http"))
	}
	conns := newConnections(most, logger)
	server := &http.Server{
		ConnState:         conns.connState,
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
		// Requests are not bound to the context of Start; Shutdown ends them.
		BaseContext: func(net.Listener) context.Context { return context.Background() },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			boundSendBuffer(conn)
			return store.Prompt(ctx)
		},
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxConcurrentStreams,
			SendPingTimeout:               http2PingAfter,
			PingTimeout:                   http2PingTimeout,
			WriteByteTimeout:              http2WriteTimeout,
			MaxReceiveBufferPerConnection: maxUploadBuffer,
		},
	}
	server.RegisterOnShutdown(conns.shutdown)
	return server
}

// boundSendBuffer sets the size of the send buffer of a connection, where the system has
// one.
func boundSendBuffer(conn net.Conn) {
	if inner, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = inner.NetConn()
	}
	if buffered, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = buffered.SetWriteBuffer(sendBuffer) // it is closed already
	}
}
