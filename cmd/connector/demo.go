package main

type demoCmd struct {
	Dir string `default:"./connector-demo" help:"Folder to work in."`
}

func (demoCmd) Run(a *app) error { return nil }
