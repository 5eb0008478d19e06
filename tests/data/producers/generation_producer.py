#!/usr/bin/env python3
"""Send picture tasks to the queue generation_tasks."""

import argparse
import json
import os
import uuid

import pika

QUEUE = "generation_tasks"
PROMPTS = [
    "a beautiful sunset",
    "a lighthouse in the fog",
    "an old fishing boat on a beach",
    "snow on a mountain village",
    "a market street in the rain",
    "a fox in a birch forest",
]


def parse_args():
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=env.get("RABBITMQ_HOST", "localhost"))
    parser.add_argument("--port", type=int, default=int(env.get("RABBITMQ_PORT", "5672")))
    parser.add_argument("--vhost", default=env.get("RABBITMQ_VHOST", "/"))
    parser.add_argument("--user", default=env.get("RABBITMQ_USER", "guest"))
    parser.add_argument("--password", default=env.get("RABBITMQ_PASSWORD", "guest"))
    parser.add_argument("--count", type=int, default=1, help="number of tasks")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--callback-url", help="where the result is announced")
    return parser.parse_args()


def main():
    args = parse_args()
    connection = pika.BlockingConnection(
        pika.ConnectionParameters(
            host=args.host,
            port=args.port,
            virtual_host=args.vhost,
            credentials=pika.PlainCredentials(args.user, args.password),
        )
    )
    channel = connection.channel()
    channel.queue_declare(queue=QUEUE, durable=True)

    for number in range(args.count):
        task = {
            "task_id": str(uuid.uuid4()),
            "prompt": PROMPTS[number % len(PROMPTS)],
            "negative_prompt": "blurry, low quality",
            "width": args.width,
            "height": args.height,
            "steps": args.steps,
            "model": "realisticVisionV6",
        }
        if args.callback_url:
            task["callback_url"] = args.callback_url
        channel.basic_publish(
            exchange="",
            routing_key=QUEUE,
            body=json.dumps(task),
            properties=pika.BasicProperties(delivery_mode=2),
        )
        print(f"sent {task['task_id']}: {task['prompt']}")

    connection.close()


if __name__ == "__main__":
    main()
