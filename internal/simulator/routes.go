package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one operation. A segment in braces is a parameter.
type route struct {
	method   string
	segments []string
	op       string
	api      bool // behind the API gateway: key, voucher, rate
	body     bool // the body is read before the operation
	do       func(*call)
}

func (s *Simulator) newRoutes() []route {
	routes := []route{
		plain("POST", "token.oauth2", "token", s.token),
		plain("POST", "authorization-server/token.oauth2", "token", s.token),
		plain("GET", "authorization-server/status", "pdndStatus", s.pdndStatus),
		plain("GET", ".well-known/jwks.json", "jwks", s.jwks),
		plain("PUT", "uploadS3/{key}", "upload", s.upload),
		plain("POST", "uploadS3/{key}", "upload", s.upload),
		plain("GET", "download/{key}", "download", s.download),
		api("GET", "status", "status", s.status),
		api("POST", "delivery/attachments/preload", "preload", s.preload),
		api("GET", "delivery/notifications/sent/{iun}/attachments/documents/{docIdx}", "document", s.document),
		api("GET", "delivery/notifications/sent/{iun}/attachments/payment/{recipientIdx}/{attachmentName}", "attachment", s.attachment),
		api("GET", "delivery/v2.3/price/{paTaxId}/{noticeCode}", "price", s.price),
		api("POST", "delivery/events/payment/pagopa", "paymentEvents", s.paymentEvents),
		api("PUT", "delivery-push/v2.0/notifications/cancel/{iun}", "cancel", s.cancel),
		api("GET", "delivery-push/v2.0/{iun}/legal-facts", "legalFacts", s.legalFacts),
		api("GET", "delivery-push/{iun}/download/legal-facts/{legalFactId}", "legalFact", s.legalFact),
	}
	for _, v := range []string{"v2.5", "v2.6"} {
		routes = append(routes,
			api("POST", "delivery/"+v+"/requests", "create", s.create),
			api("GET", "delivery/"+v+"/requests", "requestStatus", s.requestStatus))
	}
	for _, v := range []string{"v2.8", "v2.9"} {
		routes = append(routes, api("GET", "delivery/"+v+"/notifications/sent/{iun}", "sent", s.sent))
		routes = append(routes, s.streamRoutes("delivery-progresses/"+v+"/streams", "v"+v[1:2]+v[3:])...)
	}
	return routes
}

func (s *Simulator) streamRoutes(base, version string) []route {
	with := func(do func(*call, string)) func(*call) {
		return func(c *call) { do(c, version) }
	}
	return []route{
		api("POST", base, "streamCreate", with(s.streamCreate)),
		api("GET", base, "streamList", with(s.streamList)),
		api("GET", base+"/{streamId}", "streamGet", with(s.streamGet)),
		api("PUT", base+"/{streamId}", "streamUpdate", with(s.streamUpdate)),
		api("DELETE", base+"/{streamId}", "streamDelete", with(s.streamDelete)),
		api("POST", base+"/{streamId}/action/disable", "streamDisable", with(s.streamDisable)),
		api("GET", base+"/{streamId}/events", "streamEvents", with(s.streamEvents)),
	}
}

func plain(method, path, op string, do func(*call)) route {
	return route{method: method, segments: strings.Split(path, "/"), op: op, do: do}
}

func api(method, path, op string, do func(*call)) route {
	r := plain(method, path, op, do)
	r.api = true
	r.body = method == http.MethodPost || method == http.MethodPut
	return r
}

// match finds the operation of a request. The escaped path is what counts: a
// slash inside a parameter does not split it.
func (s *Simulator) match(r *http.Request, params *map[string]string) *route {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for i := range s.routes {
		x := &s.routes[i]
		if x.method != r.Method || len(x.segments) != len(segments) {
			continue
		}
		if found, ok := matchSegments(x.segments, segments); ok {
			*params = found
			return x
		}
	}
	return nil
}

func matchSegments(pattern, segments []string) (map[string]string, bool) {
	var params map[string]string
	for i, p := range pattern {
		if p[0] != '{' {
			if p != segments[i] {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(segments[i])
		if err != nil || v == "" {
			return nil, false
		}
		if params == nil {
			params = map[string]string{}
		}
		params[p[1:len(p)-1]] = v
	}
	return params, true
}
