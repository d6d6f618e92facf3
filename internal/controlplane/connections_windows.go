package controlplane

// maxConnections returns how many connections there may be: Windows has no limit of open
// files.
func maxConnections() int { return mostConnections }
