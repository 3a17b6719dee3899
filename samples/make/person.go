package main

// person is an invented addressee. Company names stand in surname.
type person struct {
	kind                    string // PF, PG
	surname, name           string
	code                    string // tax code
	street, zip, town, prov string
}

// citizen invents a natural person.
func citizen(surname, name string, sex byte, year, month, day int, street, zip, town, prov string) person {
	return person{
		kind: "PF", surname: surname, name: name, code: personalCode(surname, name, sex, year, month, day, "F205"),
		street: street, zip: zip, town: town, prov: prov,
	}
}

// company invents a legal person.
func company(name, first10, street, zip, town, prov string) person {
	return person{kind: "PG", surname: name, code: companyCode(first10), street: street, zip: zip, town: town, prov: prov}
}

// full is the name as a letter has it.
func (p person) full() string {
	if p.name == "" {
		return p.surname
	}
	return p.name + " " + p.surname
}

// label is the name and address block of a letter.
func (p person) label() []string {
	last := p.zip + " " + p.town
	if p.prov != "" {
		last += " (" + p.prov + ")"
	}
	return []string{p.full(), p.street, last}
}
