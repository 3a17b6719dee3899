package simulator

import (
	"encoding/json"
	"io"
)

// checkF24 is a basic look at the metadata of every F24: it is there, is what
// was announced, is JSON of exactly one kind, and its records carry the cost as
// the payment says.
func (s *Simulator) checkF24(_ *notification, req *request) []refusal {
	for i := range req.Recipients {
		for _, p := range req.Recipients[i].Payments {
			if p.F24 == nil {
				continue
			}
			if inner := s.f24Fault(p.F24); inner != "" {
				return one("F24_METADATA_NOT_VALID", "ERROR: "+inner+" ON ELEMENT: "+p.F24.MetadataAttachment.Ref.Key+" MESSAGE: metadata not valid")
			}
		}
	}
	return nil
}

func (s *Simulator) f24Fault(p *reqF24) string {
	o := s.uploadOf(&p.MetadataAttachment)
	if o == nil {
		return "PN_F24_METADATA_VALIDATION_ERROR"
	}
	if o.announced != p.MetadataAttachment.Digests.SHA256 {
		return "PN_F24_METADATA_VALIDATION_DIFFERENT_SHA256"
	}
	r, err := s.store.open(o.contentRef)
	if err != nil {
		return "PN_F24_METADATA_VALIDATION_ERROR"
	}
	defer r.Close() // read only
	content, err := io.ReadAll(io.LimitReader(r, maxJSONBody))
	if err != nil {
		return "PN_F24_METADATA_VALIDATION_ERROR"
	}
	return f24ContentFault(content, p.ApplyCost)
}

func f24ContentFault(content []byte, applyCost bool) string {
	var doc map[string]any
	if json.Unmarshal(content, &doc) != nil {
		return "PN_F24_METADATA_PARSING_ERROR"
	}
	kinds := 0
	for _, k := range []string{"f24Standard", "f24Simplified", "f24Excise", "f24Elid"} {
		if doc[k] != nil {
			kinds++
		}
	}
	switch {
	case kinds == 0 || len(doc) > kinds:
		return "PN_F24_METADATA_VALIDATION_SCHEMA"
	case kinds > 1:
		return "PN_F24_METADATA_VALIDATION_MULTI_TYPE"
	}
	set, withCredit, missing := 0, 0, 0
	eachRecord(doc, func(r map[string]any) {
		on, isBool := r["applyCost"].(bool)
		missing += count(!isBool)
		set += count(on)
		credit, has := r["credit"].(string)
		withCredit += count(on && has && credit != "")
	})
	switch {
	case missing > 0:
		return "PN_F24_METADATA_VALIDATION_SCHEMA"
	case applyCost && (set != 1 || withCredit > 0), !applyCost && set > 0:
		return "PN_F24_METADATA_VALIDATION_INCONSISTENT_APPLY_COST"
	}
	return ""
}

// eachRecord visits the entries of every list called records or socSecRecords.
func eachRecord(v any, visit func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		for name, inner := range x {
			if list, ok := inner.([]any); ok && (name == "records" || name == "socSecRecords") {
				for _, item := range list {
					if r, ok := item.(map[string]any); ok {
						visit(r)
					}
				}
				continue
			}
			eachRecord(inner, visit)
		}
	case []any:
		for _, inner := range x {
			eachRecord(inner, visit)
		}
	}
}
