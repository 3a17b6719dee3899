package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sendconnector/internal/send"
)

// versionSets are the sets of path templates a sender can choose from.
var versionSets = map[string]func() send.Paths{
	"current":   send.DefaultPaths,
	"older":     send.OlderPaths,
	"validator": send.ValidatorPaths,
}

// PathTemplates gives the path of every operation of SEND: those of the chosen
// versions, with single ones replaced as the configuration says.
func (s *Sender) PathTemplates() (send.Paths, error) {
	set, ok := versionSets[s.Versions]
	if !ok {
		set = send.DefaultPaths
	}
	p := set()
	operations := map[string]*string{
		"preload": &p.Preload, "create": &p.Create, "status": &p.Status, "sent": &p.Sent,
		"create_stream": &p.CreateStream, "list_streams": &p.ListStreams, "stream": &p.Stream,
		"update_stream": &p.UpdateStream, "delete_stream": &p.DeleteStream, "disable_stream": &p.DisableStream,
		"events": &p.Events, "legal_fact": &p.LegalFact, "document": &p.Document,
		"payment_attachment": &p.PaymentAttachment, "price": &p.Price, "cancel": &p.Cancel,
		"platform_status": &p.PlatformStatus,
	}
	for _, name := range slices.Sorted(maps.Keys(s.Paths)) {
		target, ok := operations[name]
		if !ok {
			return p, fmt.Errorf("there is no operation %q; the operations are %s", name, strings.Join(slices.Sorted(maps.Keys(operations)), ", "))
		}
		*target = s.Paths[name]
	}
	return p, nil
}
