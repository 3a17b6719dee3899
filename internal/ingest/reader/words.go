package reader

import "strings"

// phrases are the Italian fragments put into messages, with their English.
var phrases = [][2]string{
	{"un foglio Excel 97-2003 (.xls)", "an Excel 97-2003 sheet (.xls)"},
	{"un foglio Excel protetto da password", "a password-protected Excel workbook"},
	{"un foglio Excel binario (.xlsb)", "a binary Excel workbook (.xlsb)"},
	{"un foglio Excel (.xlsx)", "an Excel workbook (.xlsx)"},
	{"un foglio LibreOffice (.ods)", "a LibreOffice sheet (.ods)"},
	{"un documento Word", "a Word document"},
	{"un archivio ZIP", "a ZIP archive"},
	{"un archivio compresso", "a compressed archive"},
	{"un documento PDF", "a PDF document"},
	{"un'immagine", "a picture"},
	{"una pagina HTML", "an HTML page"},
	{"un file XML", "an XML file"},
	{"un foglio XML di Excel 2003", "an Excel 2003 XML sheet"},
	{"un documento RTF", "an RTF document"},
	{"un file di testo (CSV)", "a text file (CSV)"},
	{"un file JSON a righe", "a JSON lines file"},
	{"un documento JSON unico, non a righe", "one JSON document, not lines"},
	{"testo UTF-16 senza indicatore iniziale (BOM)", "UTF-16 text without a byte order mark"},
	{"un file binario", "a binary file"},
	{"Aprirlo con Excel e salvarlo come .xlsx o CSV.", "Open it in Excel and save it as .xlsx or CSV."},
	{"Togliere la password e salvarlo di nuovo.", "Remove the password and save it again."},
	{"Depositare il file .xlsx o CSV che contiene.", "Drop the .xlsx or CSV file that it holds."},
	{"Depositare il foglio o il CSV con i dati.", "Drop the sheet or CSV with the data."},
	{"Scrivere un oggetto JSON per riga.", "Write one JSON object a line."},
	{"Correggere nel profilo il tipo di file (format, kind) oppure esportare nel tipo previsto.", "Correct the kind of file in the profile (format, kind) or export the expected kind."},
	{"Indicare nel profilo la codifica utf-16 oppure esportare di nuovo il file.", "Name the encoding utf-16 in the profile or export the file again."},
	{"riga ", "row "},
	{"colonna ", "column "},
	{"il carattere illeggibile è alla ", "the unreadable character is in "},
	{"per esempio ", "for example "},
	{"punto e virgola (;)", "semicolon (;)"},
	{"virgola (,)", "comma (,)"},
	{"tabulazione", "tab"},
	{"barra verticale (|)", "vertical bar (|)"},
	{" colonne", " columns"},
	{"righe non in ordine", "rows out of order"},
	{" righe", " rows"},
	{" elementi annidati", " nested elements"},
	{" elementi nel foglio", " elements in the sheet"},
	{" elementi in una riga", " elements in one row"},
	{" byte in un elemento", " bytes in one element"},
	{" byte in una cella", " bytes in one cell"},
	{" (immagini e formati del foglio)", " (pictures and formats of the workbook)"},
	{" fogli", " sheets"},
	{" celle", " cells"},
	{" byte in una riga", " bytes in one row"},
	{"più di ", "more than "},
	{"nessuno", "none"},
	{"un'altra", "another"},
	{"dimensione oltre ", "size above "},
	{"il foglio si interrompe", "the sheet ends abruptly"},
	{"caratteri nulli", "null characters"},
}

// inEnglish replaces the phrases above in a message argument.
func inEnglish(text string) string {
	for _, p := range phrases {
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	return text
}
