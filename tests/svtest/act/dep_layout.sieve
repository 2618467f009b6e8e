/* a */ require /* b */ ["fileinto" /* c */ , # d
"copy"] ; if /* e */ true /*f*/ { /*g*/ fileinto /*h*/ :copy /*i*/ text: # j
Work
.
/*k*/ ; } # l