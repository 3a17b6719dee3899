package send

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newTransport is the package's own transport. HTTP/1.1 only: there a request
// has a connection of its own, so that "did any of it leave?" has a plain answer
// and one dead connection cannot take fifty calls with it. Idle connections are
// dropped before any gateway does so, since a POST on a connection that the
// other side is closing is a POST of unknown outcome.
func newTransport() *http.Transport {
	dial := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               discreet(http.ProxyFromEnvironment),
		DialContext:         dial.DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:           &protocols,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     30 * time.Second,
		// Uploads must arrive with exactly the headers that were signed, and
		// downloads as the bytes that are stored.
		DisableCompression: true,
	}
}

// discreet is a proxy function with an error that cannot repeat the proxy's
// password.
func discreet(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r)
		if err != nil {
			return nil, errors.New("the proxy named by the environment is not a valid address")
		}
		return u, nil
	}
}

// noRedirects makes a client that hands every 3xx back: an API that redirects
// is not the API, and credentials must not follow.
func noRedirects(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
