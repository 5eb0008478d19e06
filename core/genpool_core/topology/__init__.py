"""RabbitMQ's topology as data: what is desired, what was read, and the plan from one to the other."""
