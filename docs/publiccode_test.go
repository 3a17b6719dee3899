package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"sendconnector/internal/yamldoc"
)

// publiccode is the part of the standard (version 0.4) that we fill in; reading is
// strict, so a mistyped key is an error.
type publiccode struct {
	Version          string   `yaml:"publiccodeYmlVersion"`
	Name             string   `yaml:"name"`
	ApplicationSuite string   `yaml:"applicationSuite"`
	URL              string   `yaml:"url"`
	SoftwareVersion  string   `yaml:"softwareVersion"`
	ReleaseDate      string   `yaml:"releaseDate"`
	Status           string   `yaml:"developmentStatus"`
	SoftwareType     string   `yaml:"softwareType"`
	Platforms        []string `yaml:"platforms"`
	Categories       []string `yaml:"categories"`
	Audience         struct {
		Scope     []string `yaml:"scope"`
		Countries []string `yaml:"countries"`
	} `yaml:"intendedAudience"`
	Description map[string]*struct {
		GenericName string   `yaml:"genericName"`
		Short       string   `yaml:"shortDescription"`
		Long        string   `yaml:"longDescription"`
		Features    []string `yaml:"features"`
	} `yaml:"description"`
	Legal struct {
		License string `yaml:"license"`
	} `yaml:"legal"`
	Maintenance struct {
		Type     string `yaml:"type"`
		Contacts []struct {
			Name  string `yaml:"name"`
			Email string `yaml:"email"`
		} `yaml:"contacts"`
	} `yaml:"maintenance"`
	Localisation struct {
		Ready     bool     `yaml:"localisationReady"`
		Languages []string `yaml:"availableLanguages"`
	} `yaml:"localisation"`
	Italy struct {
		Version   string          `yaml:"countryExtensionVersion"`
		Conforms  map[string]bool `yaml:"conforme"`
		Platforms map[string]bool `yaml:"piattaforme"`
	} `yaml:"it"`
}

// Words of the standard's lists that fit this program; others are likely mistakes.
var (
	categories = []string{"business-process-management", "communications", "document-management", "digital-citizenship", "taxes-management", "workflow-management"}
	scopes     = []string{"finance-and-economic-development", "government", "justice", "local-authorities"}
)

// Damage prevented: the catalogue of public software refuses the project, or shows it
// under no heading.
func TestPubliccode(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "publiccode.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var p publiccode
	if _, err := yamldoc.Load("publiccode.yml", data, &p); err != nil {
		t.Fatal(err)
	}
	oneOf := func(what, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			t.Errorf("%s %q is not one of %v", what, value, allowed)
		}
	}
	oneOf("publiccodeYmlVersion", p.Version, "0.4", "0.4.0")
	oneOf("developmentStatus", p.Status, "concept", "development", "beta", "stable", "obsolete")
	oneOf("softwareType", p.SoftwareType, "standalone/backend")
	oneOf("maintenance.type", p.Maintenance.Type, "internal", "contract", "community", "none")
	oneOf("legal.license", p.Legal.License, "EUPL-1.2")
	oneOf("it.countryExtensionVersion", p.Italy.Version, "1.0")
	for _, c := range p.Categories {
		oneOf("category", c, categories...)
	}
	for _, s := range p.Audience.Scope {
		oneOf("scope", s, scopes...)
	}
	if !slices.Equal(p.Platforms, []string{"windows", "linux"}) || !slices.Equal(p.Audience.Countries, []string{"it"}) {
		t.Errorf("platforms %v, countries %v", p.Platforms, p.Audience.Countries)
	}
	if len(p.Categories) == 0 || len(p.Audience.Scope) == 0 || p.Name == "" {
		t.Error("name, categories and scope are required")
	}
	if !regexp.MustCompile(`^https://\S+$`).MatchString(p.URL) {
		t.Errorf("url %q", p.URL)
	}
	if _, err := time.Parse(time.DateOnly, p.ReleaseDate); err != nil {
		t.Errorf("releaseDate: %v", err)
	}
	for _, c := range p.Maintenance.Contacts {
		if c.Name == "" {
			t.Error("a contact without a name")
		}
	}
	if p.Maintenance.Type == "community" && len(p.Maintenance.Contacts) == 0 {
		t.Error("a community needs contacts")
	}
	descriptions(t, &p)
	license, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil || !regexp.MustCompile(`(?i)European Union Public Licen[cs]e`).Match(license) {
		t.Errorf("LICENSE is not the licence that publiccode.yml names: %v", err)
	}
}

// descriptions checks the lengths that the standard gives.
func descriptions(t *testing.T, p *publiccode) {
	t.Helper()
	for _, language := range p.Localisation.Languages {
		d := p.Description[language]
		if d == nil {
			t.Errorf("no description in %s, although the program speaks it", language)
			continue
		}
		if n := utf8.RuneCountInString(d.GenericName); n < 1 || n > 35 {
			t.Errorf("%s: genericName has %d characters, at most 35", language, n)
		}
		if n := utf8.RuneCountInString(d.Short); n < 1 || n > 150 {
			t.Errorf("%s: shortDescription has %d characters, at most 150", language, n)
		}
		if n := utf8.RuneCountInString(d.Long); n < 500 || n > 10_000 {
			t.Errorf("%s: longDescription has %d characters, 500 to 10,000", language, n)
		}
		if len(d.Features) == 0 {
			t.Errorf("%s: no features", language)
		}
	}
	if !slices.Contains(p.Localisation.Languages, "it") {
		t.Error("the program speaks Italian")
	}
}
