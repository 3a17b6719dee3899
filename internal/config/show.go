package config

import "sendconnector/internal/yamldoc"

// Show writes the effective configuration as YAML, every default filled in. Secrets
// stand there as references, which is all that Config holds of them.
func Show(c *Config) ([]byte, error) { return yamldoc.Marshal(c) }

// ShowJSON is Show for programs, with the same keys.
func ShowJSON(c *Config) ([]byte, error) {
	text, err := Show(c)
	if err != nil {
		return nil, err
	}
	return yamldoc.JSON(text)
}
