package notification

import (
	"strings"
)

// provinceTable is the 107 provinces, metropolitan cities and free consortia with
// their vehicle codes, one "CODE Name" a line, other usual spellings after bars.
const provinceTable = `AG Agrigento
AL Alessandria
AN Ancona
AO Aosta|Valle d'Aosta
AP Ascoli Piceno
AQ L'Aquila
AR Arezzo
AT Asti
AV Avellino
BA Bari
BG Bergamo
BI Biella
BL Belluno
BN Benevento
BO Bologna
BR Brindisi
BS Brescia
BT Barletta-Andria-Trani
BZ Bolzano|Bozen|Bolzano/Bozen
CA Cagliari
CB Campobasso
CE Caserta
CH Chieti
CL Caltanissetta
CN Cuneo
CO Como
CR Cremona
CS Cosenza
CT Catania
CZ Catanzaro
EN Enna
FC Forlì-Cesena
FE Ferrara
FG Foggia
FI Firenze
FM Fermo
FR Frosinone
GE Genova
GO Gorizia
GR Grosseto
IM Imperia
IS Isernia
KR Crotone
LC Lecco
LE Lecce
LI Livorno
LO Lodi
LT Latina
LU Lucca
MB Monza e della Brianza|Monza e Brianza|Monza Brianza|Monza
MC Macerata
ME Messina
MI Milano
MN Mantova
MO Modena
MS Massa-Carrara|Massa e Carrara
MT Matera
NA Napoli
NO Novara
NU Nuoro
OR Oristano
PA Palermo
PC Piacenza
PD Padova
PE Pescara
PG Perugia
PI Pisa
PN Pordenone
PO Prato
PR Parma
PT Pistoia
PU Pesaro e Urbino|Pesaro Urbino|Pesaro
PV Pavia
PZ Potenza
RA Ravenna
RC Reggio di Calabria|Reggio Calabria
RE Reggio nell'Emilia|Reggio Emilia
RG Ragusa
RI Rieti
RM Roma
RN Rimini
RO Rovigo
SA Salerno
SI Siena
SO Sondrio
SP La Spezia
SR Siracusa
SS Sassari
SU Sud Sardegna
SV Savona
TA Taranto
TE Teramo
TN Trento
TO Torino
TP Trapani
TR Terni
TS Trieste
TV Treviso
UD Udine
VA Varese
VB Verbano-Cusio-Ossola|Verbania
VC Vercelli
VE Venezia
VI Vicenza
VR Verona
VT Viterbo
VV Vibo Valentia`

// provinceCodes are the codes themselves; provinceNames leads from a folded name to
// its code. Both are read-only after start.
var provinceCodes, provinceNames = readProvinces()

func readProvinces() (codes map[string]struct{}, names map[string]string) {
	codes, names = make(map[string]struct{}), make(map[string]string)
	for line := range strings.SplitSeq(provinceTable, "\n") {
		code, spellings, _ := strings.Cut(line, " ")
		codes[code] = struct{}{}
		for name := range strings.SplitSeq(spellings, "|") {
			names[foldPlace(name)] = code
		}
	}
	return codes, names
}

// IsProvince reports whether code is one of the 107 codes, in any case.
func IsProvince(code string) bool {
	if len(code) != 2 {
		return false
	}
	_, ok := provinceCodes[strings.ToUpper(code)]
	return ok
}

// ProvinceOfName is the code of a province given by its name ("Verona" -> "VR");
// "" when no province is called so.
func ProvinceOfName(name string) string { return provinceNames[foldPlace(name)] }
