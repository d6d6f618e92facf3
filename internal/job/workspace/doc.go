// Package workspace manages the directories that jobs run in: a fresh working
// directory for each job below the build path, the claim of an agent on its build
// path, the checkout of a repository, and the removal of all of it.
package workspace
