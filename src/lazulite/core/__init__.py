"""Pure values every floor may use: ids, errors, settings. Nothing here performs I/O."""
