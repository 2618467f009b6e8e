"""What a store consists of beside its messages, as a file: written, loaded, held against what is there."""
