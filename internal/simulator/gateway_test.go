package simulator

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Damage prevented: a gateway check written by hand may differ from the
// contract in one field of sixty. Every leaf and every object of a full body is
// bent in every way, and both must agree on each of the results.
func TestGatewayAgreesWithTheContract(t *testing.T) {
	raw, err := os.ReadFile(shared(t, "cases/baseline-request.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	official, own := doc.Components.Schemas["NewNotificationRequestV26"].Value, newShapes().create
	tried, refused := 0, 0
	compare := func(what string, v any) {
		text := mustJSON(v)
		var again any
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		want := official.VisitJSON(again, openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.SetSchemaRegexCompiler(compilePattern)) == nil
		got := own.check(text)
		if (len(got) == 0) != want {
			t.Errorf("%s: contract accepts: %v, gateway says %v", what, want, got)
		}
		tried++
		refused += count(!want)
	}
	full := func() any { return fullBody(t, raw) }
	compare("full body", full())
	for _, path := range pathsOf(full(), nil) {
		where := strings.Join(path, ".")
		for name, bend := range bends() {
			if where == "recipients.0.payments.0" && name != "object" && name != "unknown" {
				continue // the contract forgot to say that a payment is an object; the service cannot read another thing
			}
			v := full()
			setAt(v, path, bend)
			compare(where+" "+name, v)
		}
	}
	if tried < 500 || refused < 300 || tried-refused < 100 {
		t.Errorf("%d bodies tried, %d refused", tried, refused)
	}
}

// fullBody is the baseline with every optional field filled in.
func fullBody(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]any{
		"cancelledIun": "DPDA-LVZM-JREL-202501-N-1", "group": "g1", "amount": 5, "paFee": 100, "vat": 22,
		"additionalLanguages": []any{"DE"}, "physicalCommunicationPriority": 3,
	} {
		b[k] = v
	}
	r := b["recipients"].([]any)[0].(map[string]any)
	r["digitalDomicile"] = map[string]any{"type": "PEC", "address": testPEC}
	a := r["physicalAddress"].(map[string]any)
	a["at"], a["addressDetails"], a["municipalityDetails"] = "c/o Bianchi", "Scala A", "Centro"
	item := r["payments"].([]any)[0].(map[string]any)
	item["f24"] = map[string]any{"title": "F24", "applyCost": false, "metadataAttachment": map[string]any{
		"digests": map[string]any{"sha256": sha(nil)}, "contentType": "application/json",
		"ref": map[string]any{"key": "PN_F24_META-1.json", "versionToken": "v1"},
	}}
	b["documents"].([]any)[0].(map[string]any)["docIdx"] = "0"
	return b
}

type removed struct{}

// bends are the values that replace what is there; a function changes it.
func bends() map[string]any {
	found := map[string]any{
		"removed": removed{}, "null": nil, "number": 7, "negative": -1, "large": 101, "fraction": 1.5, "huge": 1e12, "true": true,
		"empty": "", "blank": " ", "list": []any{}, "object": map[string]any{}, "unknown": func(v any) any {
			if m, ok := v.(map[string]any); ok {
				m["somethingElse"] = "x"
			}
			return v
		},
		"newline": "a\nb", "accents": "à€ß", "control": "a\x01b", "digits": "0123456789", "lower": func(v any) any {
			text, ok := v.(string)
			if !ok {
				return v
			}
			return strings.ToLower(text)
		},
	}
	for _, n := range []int{1, 3, 4, 15, 16, 44, 45, 88, 89, 134, 135, 256, 257, 320, 321, 512, 513, 1024, 1025} {
		found[fmt.Sprintf("%d letters", n)] = strings.Repeat("A", n)
	}
	return found
}

// pathsOf lists every place in a body.
func pathsOf(v any, at []string) [][]string {
	var found [][]string
	if len(at) > 0 {
		found = append(found, append([]string{}, at...))
	}
	switch x := v.(type) {
	case map[string]any:
		for name, inner := range x {
			found = append(found, pathsOf(inner, append(at, name))...)
		}
	case []any:
		for i, inner := range x {
			found = append(found, pathsOf(inner, append(at, fmt.Sprint(i)))...)
		}
	}
	return found
}

func setAt(v any, path []string, bend any) {
	for _, step := range path[:len(path)-1] {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			v = x[0]
		}
	}
	last := path[len(path)-1]
	switch x := v.(type) {
	case map[string]any:
		if change, ok := bend.(func(any) any); ok {
			x[last] = change(x[last])
		} else if _, ok := bend.(removed); ok {
			delete(x, last)
		} else {
			x[last] = bend
		}
	case []any:
		if change, ok := bend.(func(any) any); ok {
			x[0] = change(x[0])
		} else if _, ok := bend.(removed); !ok {
			x[0] = bend
		}
	}
}
