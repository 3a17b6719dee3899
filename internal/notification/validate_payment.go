package notification

func (c *checker) payments(r *Request, i int) {
	p := &r.Recipients[i]
	if r.NotificationFeePolicy == FeeDeliveryMode && r.PagoPaIntMode == PagoPaAsync && len(p.Payments) == 0 {
		c.add("C-ASYNC-PAYMENT", atRecipient(i).field("payments"))
	}
	for j := range p.Payments {
		c.payment(r, i, j)
	}
	c.costs(r, i)
}

func (c *checker) payment(r *Request, i, j int) {
	p := &r.Recipients[i].Payments[j]
	at := atPayment(i, j)
	if p.PagoPa == nil && p.F24 == nil {
		c.add("C-PAYMENT-EMPTY", at.field(""))
	}
	if n := p.PagoPa; n != nil {
		c.notice(at.in("pagoPa."), n)
		if n.Attachment != nil {
			c.attachment(at.in("pagoPa.attachment."), n.Attachment, ContentPDF)
		}
	}
	if f := p.F24; f != nil {
		at := at.in("f24.")
		if c.required(at, "title", f.Title, labelF24Title) && isBroken(f.Title) {
			c.add("C-TEXT-BROKEN", at.field("title"), "what", labelF24Title.in(c.rules.Lang))
		}
		if f.MetadataAttachment == nil {
			c.add("C-REQUIRED", at.field("metadataAttachment"), "what", labelF24File.in(c.rules.Lang))
		} else {
			c.attachment(at.in("metadataAttachment."), f.MetadataAttachment, ContentJSON)
		}
	}
	if c.rules.TwentyGrams && (p.F24 != nil || (p.PagoPa != nil && p.PagoPa.Attachment != nil)) {
		c.add("C-TWENTY-GRAMS-PAYMENT", at.field(""))
	}
}

func (c *checker) notice(at spot, n *PagoPa) {
	if c.required(at, "noticeCode", n.NoticeCode, labelNotice) {
		switch CheckNotice(n.NoticeCode) {
		case NoticeForm:
			c.add("C-NOTICE", at.field("noticeCode"), "value", n.NoticeCode, "length", itoa(javaLength(n.NoticeCode)))
		case NoticeAux:
			c.add("C-NOTICE-AUX", at.field("noticeCode"), "value", n.NoticeCode, "aux", n.NoticeCode[:1])
		case NoticeMismatch:
			c.add("C-NOTICE-CHECK", at.field("noticeCode"), "value", n.NoticeCode,
				"expected", noticeCheckDigits(n.NoticeCode), "found", n.NoticeCode[16:])
		case NoticeOld:
			c.add("C-NOTICE-OLD", at.field("noticeCode"), "value", n.NoticeCode, "aux", n.NoticeCode[:1])
		}
	}
	if c.required(at, "creditorTaxId", n.CreditorTaxID, labelCreditor) {
		switch CheckNumericTaxID(n.CreditorTaxID) {
		case TaxIDForm:
			c.add("C-CREDITOR", at.field("creditorTaxId"), "value", n.CreditorTaxID)
		case TaxIDCheck, TaxIDZero:
			c.add("C-CREDITOR-CHECK", at.field("creditorTaxId"), "value", n.CreditorTaxID)
		}
	}
}

// costs judges applyCost against the fee policy, recipient by recipient and
// separately for pagoPA notices and F24 forms, as SEND does.
func (c *checker) costs(r *Request, i int) {
	notices, noticeCosts, forms, formCosts := 0, 0, 0, 0
	for j := range r.Recipients[i].Payments {
		p := &r.Recipients[i].Payments[j]
		if p.PagoPa != nil {
			notices++
			if p.PagoPa.ApplyCost {
				noticeCosts++
			}
		}
		if p.F24 != nil {
			forms++
			if p.F24.ApplyCost {
				formCosts++
			}
		}
	}
	field := func() string { return atRecipient(i).field("payments") }
	switch r.NotificationFeePolicy {
	case FeeDeliveryMode:
		if notices > 0 && noticeCosts == 0 {
			c.add("C-COST-NOTICE-NEEDED", field())
		}
		if forms > 0 && formCosts == 0 {
			c.add("C-COST-F24-NEEDED", field())
		}
	case FeeFlatRate:
		if noticeCosts > 0 {
			c.add("C-COST-NOTICE-FLAT", field())
		}
		if formCosts > 0 {
			c.add("C-COST-F24-FLAT", field())
		}
	}
}

// noticesOnce refuses a (creditor, notice) pair that stands twice in the request.
// Requests hold at most a few dozen notices, so pairs are compared directly.
func (c *checker) noticesOnce(r *Request) {
	const few = 8
	var room [few]placed
	seen := room[:0]
	for i := range r.Recipients {
		for j := range r.Recipients[i].Payments {
			n := r.Recipients[i].Payments[j].PagoPa
			if n == nil || n.NoticeCode == "" {
				continue
			}
			pair := NoticePair{Creditor: n.CreditorTaxID, Notice: n.NoticeCode}
			for _, s := range seen {
				if s.pair == pair {
					c.add("C-NOTICE-DUPLICATE", atPayment(i, j).in("pagoPa.").field("noticeCode"),
						"value", pair.Notice, "creditor", pair.Creditor, "other", s.at.field("noticeCode"))
					break
				}
			}
			seen = append(seen, placed{pair, atPayment(i, j).in("pagoPa.")})
		}
	}
}

type placed struct {
	pair NoticePair
	at   spot
}
