// Checks an ESC environment from standard input as Pulumi Cloud does before it stores one: by the published evaluator.
// The providers are Pulumi Cloud's own, so what goes in and comes out is here as their pages have it:
// https://www.pulumi.com/docs/esc/integrations/dynamic-login-credentials/azure-login/
// https://www.pulumi.com/docs/esc/integrations/dynamic-secrets/azure-secrets/
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/esc"
	"github.com/pulumi/esc/eval"
	"github.com/pulumi/esc/schema"
)

type provider struct{ inputs, outputs *schema.Schema }

func (p provider) Schema() (*schema.Schema, *schema.Schema) { return p.inputs, p.outputs }

func (p provider) Open(context.Context, map[string]esc.Value, esc.EnvExecContext) (esc.Value, error) {
	return esc.Value{}, errors.New("nothing is opened here")
}

var login = schema.Object().
	Properties(schema.BuilderMap{
		"clientId":       schema.String(),
		"tenantId":       schema.String(),
		"subscriptionId": schema.String(),
		"oidc":           schema.Record(schema.BuilderMap{"token": schema.String()}),
		"clientSecret":   schema.String(),
	}).
	Required("clientId", "tenantId", "subscriptionId")

var providers = map[string]provider{
	"azure-login": {
		inputs: schema.Object().
			Properties(schema.BuilderMap{
				"clientId":          schema.String(),
				"tenantId":          schema.String(),
				"subscriptionId":    schema.String(),
				"clientSecret":      schema.String(),
				"oidc":              schema.Boolean(),
				"subjectAttributes": schema.Array().Items(schema.String()),
			}).
			Required("clientId", "tenantId", "subscriptionId").
			Schema(),
		outputs: login.Schema(),
	},
	"azure-secrets": {
		inputs: schema.Object().
			Properties(schema.BuilderMap{
				"login": login,
				"vault": schema.String(),
				"get": schema.Object().AdditionalProperties(
					schema.Object().
						Properties(schema.BuilderMap{"name": schema.String(), "version": schema.String()}).
						Required("name")),
			}).
			Required("login", "vault", "get").
			Schema(),
		outputs: schema.Object().AdditionalProperties(schema.String()).Schema(),
	},
}

type loader struct{}

func (loader) LoadProvider(_ context.Context, name string) (esc.Provider, error) {
	if found, ok := providers[name]; ok {
		return found, nil
	}
	return nil, fmt.Errorf("there is no provider %q here", name)
}

func (loader) LoadRotator(_ context.Context, name string) (esc.Rotator, error) {
	return nil, fmt.Errorf("there is no rotator %q here", name)
}

func (loader) LoadEnvironment(_ context.Context, name string) ([]byte, eval.Decrypter, error) {
	return nil, nil, fmt.Errorf("there is no environment %q here", name)
}

func main() {
	declared, diagnostics, err := eval.LoadYAML("environment", os.Stdin)
	if err == nil && !diagnostics.HasErrors() {
		var execution *esc.ExecContext
		if execution, err = esc.NewExecContext(nil); err == nil {
			_, found := eval.CheckEnvironment(
				context.Background(), "environment", declared, nil, loader{}, loader{}, execution, false)
			diagnostics = append(diagnostics, found...)
		}
	}
	for _, one := range diagnostics {
		fmt.Println(one)
	}
	if err != nil {
		fmt.Println(err)
	}
	if err != nil || len(diagnostics) > 0 {
		os.Exit(1)
	}
}
