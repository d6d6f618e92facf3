// Package explore visits every state of a model, breadth first, and looks for one in
// which a property does not hold.
//
// # Safety
//
// A model returns the successors of a state, each with what is wrong with the step
// that leads to it, if anything. The first violation of each property is kept, and
// since the search is breadth first, the path to it is a shortest one.
//
// # Liveness
//
// Each move belongs to a set of environments: those in which it happens sooner or
// later. A move in none of them is a disturbance, which may happen at any time and
// never has to. [Space.CheckGoals] looks for a state from which a goal cannot be
// reached by the moves of an environment alone. The space is finite: if a goal can
// be reached from every state that an environment leads to, then every run that is
// fair (it does not avoid forever a move that is possible again and again) reaches
// the goal.
//
// # Symmetry
//
// A model may declare states equal that differ in names only: each [Successor] has one
// of them that stands for all. Paths are those of the states themselves, so that a
// name on a path stays the same from the beginning to the end.
package explore
