package policy

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed ward.cedarschema *.cedar
var files embed.FS

// Engine decides. It holds no state and may be used by many at once.
type Engine struct {
	policies []Policy
	byAction map[string]subset
}

// Policy is one policy as people know it: where it is, what it is called, what it says in a sentence.
type Policy struct {
	ID       string
	Sentence string
	File     string
	Forbids  bool

	cedar *cedar.Policy
}

// subset is the policies that can concern one action, in the order of their files.
type subset []Policy

// All makes a subset what cedar.Authorize evaluates.
func (s subset) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range s {
			if !yield(cedar.PolicyID(p.ID), p.cedar) {
				return
			}
		}
	}
}

// New reads and checks the policies that this program carries. It fails if one has no id or sentence, shares its id,
// or does not fit the schema: misspelt words and comparisons of unlike things are found here, not by a patient.
func New() (*Engine, error) {
	return load(files)
}

func load(folder fs.FS) (*Engine, error) {
	model, err := readSchema(folder)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(folder, "*.cedar")
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	e := &Engine{byAction: map[string]subset{}}
	for _, name := range names {
		policies, err := readPolicies(folder, name, model)
		if err != nil {
			return nil, err
		}
		e.policies = append(e.policies, policies...)
	}
	seen := map[string]string{}
	for _, p := range e.policies {
		if other, ok := seen[p.ID]; ok {
			return nil, fmt.Errorf("policy %q is in %s and in %s: ids must differ", p.ID, other, p.File)
		}
		seen[p.ID] = p.File
	}
	for action := range model.Actions {
		for _, p := range e.policies {
			if concerns(p.cedar, action) {
				e.byAction[string(action.ID)] = append(e.byAction[string(action.ID)], p)
			}
		}
	}
	return e, nil
}

func readSchema(folder fs.FS) (*resolved.Schema, error) {
	const name = "ward.cedarschema"
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var s schema.Schema
	s.SetFilename(name)
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	model, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return model, nil
}

func readPolicies(folder fs.FS, name string, model *resolved.Schema) ([]Policy, error) {
	validator := validate.New(model)
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("read policies in %s: %w", name, err)
	}
	list, err := cedar.NewPolicyListFromBytes(name, text)
	if err != nil {
		return nil, fmt.Errorf("read policies in %s: %w", name, err)
	}
	policies := make([]Policy, 0, len(list))
	for _, c := range list {
		p := Policy{
			ID:       string(c.Annotations()["id"]),
			Sentence: string(c.Annotations()["sentence"]),
			File:     name,
			Forbids:  c.Effect() == cedar.Forbid,
			cedar:    c,
		}
		if p.ID == "" || p.Sentence == "" {
			return nil, fmt.Errorf("policy in %s, line %d: needs an @id and a @sentence", name, c.Position().Line)
		}
		if err := errors.Join(validator.Policy(p.ID, (*ast.Policy)(c.AST())), checkWords(c, model)); err != nil {
			return nil, fmt.Errorf("policy %q in %s, line %d: %w", p.ID, name, c.Position().Line, err)
		}
		policies = append(policies, p)
	}
	return policies, nil
}

// checkWords finds words in a policy that the schema does not list, such as a role misspelt, which the validator lets
// pass. Policies name roles, kinds and actions only: one that named a person or a chart would be a back door.
func checkWords(c *cedar.Policy, model *resolved.Schema) error {
	text, err := c.MarshalJSON()
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	return walk(tree, func(word cedar.EntityUID) error {
		if _, ok := model.Actions[word]; ok || slices.Contains(model.Enums[word.Type].Values, word) {
			return nil
		}
		return fmt.Errorf("%s is not a word of the schema", word)
	})
}

// walk visits every entity in a policy's JSON form: an object of just a type and an id, wherever it stands.
func walk(node any, visit func(cedar.EntityUID) error) error {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if err := walk(child, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		kind, isEntity := node["type"].(string)
		id, hasID := node["id"].(string)
		if isEntity && hasID && len(node) == 2 {
			return visit(uid(cedar.EntityType(kind), id))
		}
		for _, child := range node {
			if err := walk(child, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// concerns tells whether a policy's scope can match the action. What it cannot tell, it leaves to the evaluation.
func concerns(p *cedar.Policy, action cedar.EntityUID) bool {
	switch scope := (*ast.Policy)(p.AST()).Action.(type) {
	case ast.ScopeTypeEq:
		return scope.Entity == action
	case ast.ScopeTypeInSet:
		return slices.Contains(scope.Entities, action) // no action of the schema is in another
	}
	return true
}

// Policies lists all policies in the order of their files.
func (e *Engine) Policies() []Policy { return slices.Clone(e.policies) }

// Decide answers a request. An action that the schema does not know is refused.
func (e *Engine) Decide(r Request) Decision {
	d := e.decide(r, &r.About)
	for i := range r.About.Also {
		d = d.and(e.decide(r, &r.About.Also[i]))
	}
	return d
}

func (e *Engine) decide(r Request, about *Resource) Decision {
	f := newFacts(r, about)
	answer, why := cedar.Authorize(e.byAction[r.Action], f, f.request)
	d := Decision{Allow: answer == cedar.Allow && len(why.Errors) == 0}
	for _, reason := range why.Reasons {
		d.Policies = append(d.Policies, string(reason.PolicyID))
	}
	// A policy that cannot be evaluated is passed over by Cedar, a forbid too; here it refuses. The schema rules out
	// the causes that it can, so this is a fault of the program.
	for _, failed := range why.Errors {
		d.Policies = append(d.Policies, string(failed.PolicyID))
	}
	return d
}

// and joins the decisions about two things: both must be allowed, and what refuses is what a refusal names.
func (d Decision) and(other Decision) Decision {
	if d.Allow && !other.Allow {
		return other
	}
	if !d.Allow && other.Allow {
		return d
	}
	for _, id := range other.Policies {
		if !slices.Contains(d.Policies, id) {
			d.Policies = append(d.Policies, id)
		}
	}
	return d
}

// Actions lists the actions that policies speak of, sorted: the schema's.
func Actions() []string {
	model, err := readSchema(files)
	if err != nil {
		return nil // New says why, and every start calls it
	}
	var names []string
	for action := range model.Actions {
		names = append(names, string(action.ID))
	}
	slices.Sort(names)
	return names
}
