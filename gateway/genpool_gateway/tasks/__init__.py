"""What the gateway knows of tasks: a record of each, the changes that events bring, and how both look from outside."""
