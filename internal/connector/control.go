package connector

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The control endpoint lets commands reach the process that owns the ledger. It
// listens on a Unix socket, or on a loopback port where the system or the length of
// the path does not allow one; how to reach it, with a token, stands in a file that
// only the service's user can read.

const endpointFile = "control.json"

// endpoint is how to reach the owner of the ledger.
type endpoint struct {
	Network string `json:"network"` // unix or tcp
	Address string `json:"address"`
	Token   string `json:"token"`
	PID     int    `json:"pid"`
}

// control is the listening side.
type control struct {
	server *http.Server
	file   string
	done   chan struct{}
}

// maxSocketPath keeps below the limit of sockaddr_un on every system.
const maxSocketPath = 100

// serveControl starts to answer commands. The caller owns the ledger, so a socket
// that lies there from a dead process may be removed.
func (c *Connector) serveControl(ctx context.Context) (*control, error) {
	token := make([]byte, 32)
	_, _ = rand.Read(token) // never fails since Go 1.24
	ep := endpoint{Network: "unix", Address: c.cfg.Control.Socket, Token: hex.EncodeToString(token), PID: os.Getpid()}
	if !unixSockets || len(ep.Address) > maxSocketPath {
		ep.Network, ep.Address = "tcp", "127.0.0.1:0"
	} else if err := os.Remove(ep.Address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("control endpoint: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, ep.Network, ep.Address)
	if err != nil {
		return nil, fmt.Errorf("control endpoint: %w", err)
	}
	if ep.Network == "unix" {
		if err := os.Chmod(ep.Address, 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("control endpoint: %w", err), listener.Close())
		}
	}
	ep.Address = listener.Addr().String()
	ctl := &control{file: filepath.Join(c.cfg.Data, endpointFile), done: make(chan struct{})}
	data, err := json.Marshal(ep)
	if err == nil {
		err = c.step(stepControl, func() error { return writePrivate(ctl.file, data) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("control endpoint: %w", err), listener.Close())
	}
	ctl.server = &http.Server{
		Handler:           controlHandler(c, ep.Token),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(c.opts.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(ctl.done)
		_ = ctl.server.Serve(peers{listener}) // always ErrServerClosed after close
	}()
	return ctl, nil
}

// close stops answering; commands under way get five seconds.
func (ctl *control) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = ctl.server.Shutdown(ctx)
	_ = ctl.server.Close()
	<-ctl.done
	_ = os.Remove(ctl.file)
}

// controlHost is the only Host that is answered. A page that a browser loaded from
// elsewhere, with a name that now leads to this machine, sends its own.
const controlHost = "connector"

const (
	maxArgs      = 1 << 20 // bytes of a command's arguments
	argsPatience = 30 * time.Second
)

// controlHandler answers POST /v1/<command>. A browser is refused: it sends an
// Origin or the name of its page, and it does not know the token.
func controlHandler(c *Connector, token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{command}", func(w http.ResponseWriter, r *http.Request) {
		if !admitted(r, token) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		args, err := readArgs(w, r)
		if err == nil {
			out := &answering{w: w}
			err = c.dispatch(r.Context(), r.PathValue("command"), args, out)
			if err != nil && out.begun {
				panic(http.ErrAbortHandler) // the caller sees a broken answer, never half of one as whole
			}
		}
		if err != nil {
			writeError(w, err)
		}
	})
	return mux
}

func admitted(r *http.Request, token string) bool {
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known := subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
	for _, browsers := range []string{"Origin", "Referer", "Sec-Fetch-Site", "Cookie"} {
		if r.Header.Get(browsers) != "" {
			return false
		}
	}
	return bearer && known && r.Host == controlHost
}

// readArgs reads the arguments, which have to come at once: whoever knows the token
// has them ready.
func readArgs(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	late := time.AfterFunc(argsPatience, func() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	})
	defer late.Stop()
	args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArgs))
	if err != nil {
		return nil, usage("arguments: %v", err)
	}
	return args, nil
}

// answering notes that an answer has begun, after which no error can be sent.
type answering struct {
	w     http.ResponseWriter
	begun bool
}

func (a *answering) Write(p []byte) (int, error) {
	a.begun = true
	return a.w.Write(p)
}

func writeError(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*ExitError](err)
	if !ok {
		e = &ExitError{Exit: ExitFailure, Message: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(e) // the caller is gone if this fails
}

// ErrNoService says that no process answers for the ledger in a data folder.
var ErrNoService = errors.New("no running connector answers")

// Ask has the running connector of a data folder carry out a command and copies its
// answer to w. ErrNoService if none is running; *ExitError as the command gave it.
func Ask(ctx context.Context, data, command string, args any, w io.Writer) error {
	ep, err := readEndpoint(data)
	if err != nil {
		return err
	}
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, ep.Network, ep.Address)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNoService, err)
			}
			return conn, nil
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+controlHost+"/v1/"+command, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+ep.Token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		_, err = io.Copy(w, resp.Body)
		return err
	case http.StatusUnprocessableEntity:
		var e ExitError
		if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&e); err != nil {
			return fmt.Errorf("control endpoint: %w", err)
		}
		return &e
	default:
		return fmt.Errorf("control endpoint: HTTP %d", resp.StatusCode)
	}
}

func readEndpoint(data string) (endpoint, error) {
	var ep endpoint
	raw, err := os.ReadFile(filepath.Join(data, endpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ep, ErrNoService
	}
	if err != nil {
		return ep, fmt.Errorf("control endpoint: %w", err)
	}
	if err := json.Unmarshal(raw, &ep); err != nil {
		return ep, fmt.Errorf("%w: %w", ErrNoService, err)
	}
	return ep, nil
}

// writePrivate writes a file that only its owner may read, whole or not at all. It
// never writes into a file that somebody else has made.
func writePrivate(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = makePrivate(tmp)
	if err == nil {
		_, err = f.Write(data)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}
