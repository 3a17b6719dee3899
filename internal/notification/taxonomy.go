package notification

import (
	"slices"
	"strings"
)

// TaxonomyDate is the day of the sources that the built-in table was written from;
// SEND's own table changes several times a year.
const TaxonomyDate = "2026-06-10"

// Taxonomy is one kind of notification that SEND knows. The first two digits of
// the code are the type of the sending body, the last letter says whether a payment
// is foreseen (P) or not (N).
type Taxonomy struct {
	Code    string
	Meaning string // Italian
}

// Taxonomies is the table as of TaxonomyDate, sorted by code. The slice is the
// caller's own.
//
// Source: send-validation.md, 1.6; send-api.md, 9.4.
func Taxonomies() []Taxonomy {
	var all []Taxonomy
	for line := range strings.SplitSeq(taxonomyTable, "\n") {
		code, meaning, _ := strings.Cut(line, " ")
		all = append(all, Taxonomy{Code: code, Meaning: meaning})
	}
	return all
}

// taxonomyCodes is sorted and read-only.
var taxonomyCodes = readTaxonomyCodes()

func readTaxonomyCodes() []string {
	var codes []string
	for _, t := range Taxonomies() {
		codes = append(codes, t.Code)
	}
	return codes
}

func isTaxonomyForm(code string) bool {
	return len(code) == 7 && allDigits(code[:6]) && isUpper(code[6])
}

func isTaxonomy(code string) bool {
	_, found := slices.BinarySearch(taxonomyCodes, code)
	return found
}

const taxonomyTable = `010101P Comune: violazioni del codice della strada, con pagamento
010102P Comune: altre violazioni, con pagamento
010103N Comune: violazioni del codice della strada, senza pagamento
010104N Comune: altre violazioni, senza pagamento
010201P Comune: tributi (IMU, TARI, TASI, acqua), con pagamento
010202N Comune: tributi, senza pagamento
010301P Comune: entrate patrimoniali (canoni, affitti), con pagamento
010302N Comune: entrate patrimoniali, senza pagamento
010401N Comune: servizi scolastici, atti senza pagamento
010401P Comune: servizi scolastici (mensa, trasporto, rette), solleciti con pagamento
010501N Comune: anagrafe e stato civile
010601N Comune: ufficio tecnico e SUAP
010701P Comune: ordinanze, con pagamento
010702N Comune: ordinanze, senza pagamento
010801N Comune: riscossione coattiva e ingiunzioni, senza pagamento
010801P Comune: riscossione coattiva e ingiunzioni, con pagamento
010901N Comune: deleghe di pagamento alla tesoreria
011001N Comune: convocazioni del consiglio
020101P Regione: tassa automobilistica non pagata
020401P Regione: esenzioni della tassa automobilistica, con pagamento
020402N Regione: esenzioni della tassa automobilistica, senza pagamento
030101P Concessionario: tributi, con pagamento
030102N Concessionario: tributi, senza pagamento
030201P Concessionario: entrate patrimoniali, con pagamento
030202N Concessionario: entrate patrimoniali, senza pagamento
030301P Concessionario: riscossione coattiva, con pagamento
030302N Concessionario: riscossione coattiva, senza pagamento
030401P Concessionario: accesso agli atti, con pagamento
030402N Concessionario: accesso agli atti, senza pagamento
030501N Concessionario: SUAP e commercio
030601P Concessionario: tassa automobilistica
040101N Ministero: cittadinanza
050101P Previdenza: contributi
050201N Previdenza: ADI e SFL
050202N Previdenza: bonus pensionati
060101P Sanità: ticket
060201P Sanità: esenzioni non dovute
070101P Provincia: violazioni del codice della strada
070201P Provincia: altre violazioni, con pagamento
070202N Provincia: altre violazioni, senza pagamento
070301N Provincia: ordinanze, senza pagamento
070302P Provincia: ordinanze, con pagamento
080101N Università e scuola: revoca di benefici
080102N Università e scuola: crediti
080201N Università e scuola: accertamenti
090101P Camera di commercio
100101P Ordini professionali, con pagamento
100102N Ordini professionali, senza pagamento
100103P Ordini professionali, con pagamento
100104N Ordini professionali, senza pagamento
100105P Ordini professionali, con pagamento
100106N Ordini professionali, senza pagamento
100107N Ordini professionali, senza pagamento
110101P Gestori di servizi
120101P Società a controllo pubblico, con pagamento
120102P Società a controllo pubblico, con pagamento
120103P Società a controllo pubblico, con pagamento`
