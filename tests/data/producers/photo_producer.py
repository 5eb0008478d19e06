#!/usr/bin/env python3
"""Send photos to be coloured to the queue photo_repair_tasks."""

import argparse
import json
import os

import pika

QUEUE = "photo_repair_tasks"
PEOPLE = "DDColor人物黑白修复.json"
BUILDINGS = "DDColor建筑黑白修复.json"
SIZES = {PEOPLE: 680, BUILDINGS: 1080}


def parse_args():
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image_url", nargs="+", help="URL of a black and white photo")
    parser.add_argument("--host", default=env.get("RABBITMQ_HOST", "localhost"))
    parser.add_argument("--port", type=int, default=int(env.get("RABBITMQ_PORT", "5672")))
    parser.add_argument("--vhost", default=env.get("RABBITMQ_VHOST", "/"))
    parser.add_argument("--user", default=env.get("RABBITMQ_USER", "guest"))
    parser.add_argument("--password", default=env.get("RABBITMQ_PASSWORD", "guest"))
    parser.add_argument("--workflow", default=PEOPLE, choices=list(SIZES))
    parser.add_argument("--size", type=int, help="680 for people, 1080 for buildings")
    parser.add_argument("--model", default="ddcolor-imagenet")
    parser.add_argument("--count", type=int, help="number of tasks; the photos are taken in turn (default: each once)")
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

    count = len(args.image_url) if args.count is None else args.count
    for number in range(count):
        task = {
            "task_id": "task_12345",
            "image_url": args.image_url[number % len(args.image_url)],
            "workflow_type": args.workflow,
            "parameters": {"size": args.size or SIZES[args.workflow], "model": args.model},
        }
        if args.callback_url:
            task["callback_url"] = args.callback_url
        channel.basic_publish(
            exchange="",
            routing_key=QUEUE,
            body=json.dumps(task),
            properties=pika.BasicProperties(delivery_mode=2),
        )
        print(f"sent {task['task_id']}: {task['image_url']}")

    connection.close()


if __name__ == "__main__":
    main()
