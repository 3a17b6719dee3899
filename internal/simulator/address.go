package simulator

import (
	"strconv"
	"strings"
)

// checkAddresses plays the normaliser: it refuses what no letter could reach,
// and with a gazetteer a known CAP that does not belong to the municipality.
func (s *Simulator) checkAddresses(_ *notification, req *request) []refusal {
	for i := range req.Recipients {
		a := req.Recipients[i].PhysicalAddress
		if a == nil {
			continue
		}
		if text := s.addressFault(a); text != "" {
			return one("NOT_VALID_ADDRESS", "Error="+text+" id="+strconv.Itoa(i))
		}
	}
	return nil
}

func (s *Simulator) addressFault(a *address) string {
	const unmailable = "Address declared non-mailable by normalizer"
	if strings.Contains(a.Municipality, "@") {
		return unmailable
	}
	if foreign(a) {
		return ""
	}
	zip := strings.TrimSpace(a.Zip)
	switch {
	case zip == "":
		return "Invalid Normalized Response - Missed required fields: cap"
	case len(zip) != 5 || !allDigits(zip) || zip == "00000":
		return "Address with not Enabled postalCode"
	case !knownProvince(upper(a.Province)):
		return unmailable
	case !s.places.fits(zip, a.Municipality):
		return unmailable
	}
	return ""
}

// foreign says whether a letter goes abroad: a state that is neither Italy nor
// spelled like it.
func foreign(a *address) bool {
	return a != nil && !a.italian() && upper(a.ForeignState) != "ITA" && upper(a.ForeignState) != "IT"
}

// placeIndex lists localities by CAP.
type placeIndex map[string][]string

func indexPlaces(places []Place) placeIndex {
	index := placeIndex{}
	for _, p := range places {
		index[p.Zip] = append(index[p.Zip], fold(p.Locality))
	}
	return index
}

// fits is true for a CAP that the gazetteer does not know, and for a locality
// of the CAP or the beginning of its name.
func (x placeIndex) fits(zip, municipality string) bool {
	known, found := x[zip]
	name := fold(municipality)
	for _, l := range known {
		if l == name || strings.HasPrefix(l, name) || strings.HasPrefix(name, l) {
			return true
		}
	}
	return !found
}

// fold makes spellings of a place comparable.
func fold(name string) string {
	r := strings.NewReplacer("À", "A", "È", "E", "É", "E", "Ì", "I", "Ò", "O", "Ù", "U", "'", "", "-", " ")
	return strings.Join(strings.Fields(r.Replace(upper(name))), " ")
}

// provinces are the 107 codes with their names.
const provinces = ` AG AGRIGENTO;AL ALESSANDRIA;AN ANCONA;AO AOSTA;AP ASCOLI PICENO;AQ L'AQUILA;AR AREZZO;AT ASTI;AV AVELLINO;BA BARI;` +
	`BG BERGAMO;BI BIELLA;BL BELLUNO;BN BENEVENTO;BO BOLOGNA;BR BRINDISI;BS BRESCIA;BT BARLETTA-ANDRIA-TRANI;BZ BOLZANO;CA CAGLIARI;` +
	`CB CAMPOBASSO;CE CASERTA;CH CHIETI;CL CALTANISSETTA;CN CUNEO;CO COMO;CR CREMONA;CS COSENZA;CT CATANIA;CZ CATANZARO;EN ENNA;` +
	`FC FORLI'-CESENA;FE FERRARA;FG FOGGIA;FI FIRENZE;FM FERMO;FR FROSINONE;GE GENOVA;GO GORIZIA;GR GROSSETO;IM IMPERIA;IS ISERNIA;` +
	`KR CROTONE;LC LECCO;LE LECCE;LI LIVORNO;LO LODI;LT LATINA;LU LUCCA;MB MONZA E DELLA BRIANZA;MC MACERATA;ME MESSINA;MI MILANO;` +
	`MN MANTOVA;MO MODENA;MS MASSA-CARRARA;MT MATERA;NA NAPOLI;NO NOVARA;NU NUORO;OR ORISTANO;PA PALERMO;PC PIACENZA;PD PADOVA;` +
	`PE PESCARA;PG PERUGIA;PI PISA;PN PORDENONE;PO PRATO;PR PARMA;PT PISTOIA;PU PESARO E URBINO;PV PAVIA;PZ POTENZA;RA RAVENNA;` +
	`RC REGGIO CALABRIA;RE REGGIO EMILIA;RG RAGUSA;RI RIETI;RM ROMA;RN RIMINI;RO ROVIGO;SA SALERNO;SI SIENA;SO SONDRIO;SP LA SPEZIA;` +
	`SR SIRACUSA;SS SASSARI;SU SUD SARDEGNA;SV SAVONA;TA TARANTO;TE TERAMO;TN TRENTO;TO TORINO;TP TRAPANI;TR TERNI;TS TRIESTE;` +
	`TV TREVISO;UD UDINE;VA VARESE;VB VERBANO-CUSIO-OSSOLA;VC VERCELLI;VE VENEZIA;VI VICENZA;VR VERONA;VT VITERBO;VV VIBO VALENTIA;`

func knownProvince(p string) bool {
	if len(p) == 2 {
		return strings.Contains(provinces, ";"+p+" ") || p == "AG"
	}
	return p != "" && strings.Contains(provinces, " "+p+";")
}

func trimStorage(key string) string { return strings.TrimPrefix(key, storagePrefix) }
