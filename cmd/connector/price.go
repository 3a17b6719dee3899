package main

import (
	"fmt"

	"sendconnector/internal/connector"
)

type priceCmd struct {
	Creditor string `required:"" placeholder:"T" help:"Creditor's tax code, 11 digits."`
	Notice   string `required:"" placeholder:"N" help:"Notice number, 18 digits."`
	Sender   string `placeholder:"S" help:"Sender whose key asks, where there are several."`
}

// Run asks SEND for the present cost of a notice.
func (cmd *priceCmd) Run(a *app) error {
	var p connector.Price
	if err := a.ask("price", connector.PriceArgs{Creditor: cmd.Creditor, Notice: cmd.Notice, Sender: cmd.Sender}, &p); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(p)
	}
	_, err := fmt.Fprintf(a.stdout, "total %d.%02d EUR (partial %d.%02d, send fee %d.%02d, paper %d.%02d, VAT %d%%, PA fee %d.%02d), IUN %s\n",
		p.TotalCent/100, p.TotalCent%100, p.PartialCent/100, p.PartialCent%100, p.SendFeeCent/100, p.SendFeeCent%100,
		p.AnalogCent/100, p.AnalogCent%100, p.Vat, p.PaFeeCent/100, p.PaFeeCent%100, p.IUN)
	return err
}
