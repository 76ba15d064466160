//! What goes wrong around trueup, made to go wrong: races, kills, full disks, damaged files.
