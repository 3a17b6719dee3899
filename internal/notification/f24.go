package notification

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// maxF24Depth bounds the nesting of a metadata file; real ones have six levels.
const maxF24Depth = 32

// MaxF24 bounds a metadata file: a record has some 200 bytes and a form has at most a
// few dozen of them, so that real files have less than a tenth of it.
const MaxF24 = 256 << 10

// maxF24Name is how much of a property's name a path shows; those of the schema have
// less than half of it.
const maxF24Name = 64

// f24Kinds are the forms, of which a metadata file describes exactly one.
var f24Kinds = []string{"f24Standard", "f24Simplified", "f24Excise", "f24Elid"}

// CheckF24 judges the metadata file of an F24 form, whose faults SEND finds only
// after it has taken the notification, and bills: well-formed JSON; exactly one kind
// of form; exactly one record that carries the notification cost if the request says
// applyCost, and that one without a credit, none otherwise; amounts, years, dates and
// tax codes in their form. field is the request field of the attachment. The rest of
// F24's schema is not judged. At most maxF24Problems are told, and how many more
// there are.
//
// Source: send-validation.md, 2 "F24_METADATA_NOT_VALID"; send-api.md, 6.3.
func CheckF24(data []byte, applyCost bool, lang Lang, field string) []Problem {
	c := f24Checker{lang: lang, field: field}
	if len(data) > MaxF24 {
		c.add("C-F24-SIZE", "max", itoa(MaxF24>>10))
		return c.problems
	}
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		c.add("C-F24-SYNTAX", "reason", err.Error())
		return c.problems
	}
	form, ok := whole.(map[string]any)
	if !ok {
		c.add("C-F24-SYNTAX", "reason", word(lang, "il file non è un oggetto JSON", "the file is not a JSON object"))
		return c.problems
	}
	c.kind(form)
	c.walk("", form, 0)
	switch {
	case applyCost && c.costs != 1:
		c.add("C-F24-COST-ONE", "count", itoa(c.costs))
	case !applyCost && c.costs > 0:
		c.add("C-F24-COST-NONE", "count", itoa(c.costs))
	}
	problems := c.told(lang)
	for i := range problems {
		problems[i].Field = field
	}
	return problems
}

type f24Checker struct {
	lang  Lang
	field string
	costs int // records with applyCost true
	tally
}

func (c *f24Checker) add(code string, args ...string) {
	c.tally.add(c.lang, maxF24Problems, code, c.field, args...)
}

func (c *f24Checker) kind(form map[string]any) {
	known := 0
	for name := range form {
		if slices.Contains(f24Kinds, name) && form[name] != nil {
			known++
		}
	}
	if known != 1 || len(form) != 1 {
		c.add("C-F24-KIND", "found", strings.Join(slices.Sorted(maps.Keys(form)), ", "), "allowed", strings.Join(f24Kinds, ", "))
	}
}

// walk visits every object, in the order of names so that problems come in the
// same order every time.
func (c *f24Checker) walk(path string, value any, depth int) {
	if depth > maxF24Depth {
		return
	}
	switch v := value.(type) {
	case []any:
		records := strings.HasSuffix(strings.ToLower(path), "records")
		for i, element := range v {
			at := path + "[" + itoa(i) + "]"
			if record, ok := element.(map[string]any); ok && records {
				c.record(at, record)
			}
			c.walk(at, element, depth+1)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := within(path, clipName(name))
			if text, ok := v[name].(string); ok {
				c.value(at, name, text)
			}
			c.walk(at, v[name], depth+1)
		}
	}
}

// clipName keeps a name of a hundred kB out of the paths of all that it holds.
func clipName(name string) string {
	if len(name) <= maxF24Name {
		return name
	}
	return strings.ToValidUTF8(name[:maxF24Name], "") + "…"
}

func (c *f24Checker) record(path string, record map[string]any) {
	cost, ok := record["applyCost"].(bool)
	if !ok {
		c.add("C-F24-COST-MISSING", "path", path)
		return
	}
	if !cost {
		return
	}
	c.costs++
	if credit, ok := record["credit"].(string); ok && strings.Trim(credit, "0") != "" {
		c.add("C-F24-COST-CREDIT", "path", path)
	}
}

// value judges the texts whose form is the same wherever they stand.
func (c *f24Checker) value(path, name, text string) {
	ok, form := true, ""
	switch name {
	case "debit", "credit":
		ok = text == "" || (allDigits(text) && len(text) >= 3 && len(text) <= 15)
		form = word(c.lang, "centesimi, da 3 a 15 cifre", "cents, 3 to 15 digits")
	case "year":
		ok = len(text) == 4 && allDigits(text) && (text[0] == '1' || text[0] == '2')
		form = word(c.lang, "un anno di quattro cifre", "a year of four digits")
	case "birthDate":
		ok = len(text) == 10 && text[2] == '-' && text[5] == '-' && allDigits(text[:2]+text[3:5]+text[6:])
		form = word(c.lang, "giorno-mese-anno (gg-mm-aaaa)", "day-month-year (dd-mm-yyyy)")
	case "sex":
		ok, form = text == "F" || text == "M", word(c.lang, "F o M", "F or M")
	case "operationId":
		ok = len(text) == 18 && isF24Code(text)
		form = word(c.lang, "18 lettere maiuscole o cifre", "18 capital letters or digits")
	case "taxCode":
		// The check character is left to SEND: test environments use wrong ones.
		ok = personalForm(text) || (len(text) == numericTaxIDLength && allDigits(text))
		form = word(c.lang, "un codice fiscale", "a tax code")
	}
	if !ok {
		c.add("C-F24-VALUE", "path", path, "value", text, "form", form)
	}
}

func isF24Code(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && !isUpper(s[i]) {
			return false
		}
	}
	return true
}
