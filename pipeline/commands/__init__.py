"""The commands of `zhpipe`, a file for each subject: options, printed text, and a call of the function that works."""
