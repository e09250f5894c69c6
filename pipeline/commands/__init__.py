"""The commands of `zhpipe`, a file for each subject: options, text, and a call of what does the work."""
