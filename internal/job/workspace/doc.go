// Package workspace manages the directories that jobs run in: the working directory
// of each job, the claim of an agent on its build path, checkout, and removal.
package workspace
