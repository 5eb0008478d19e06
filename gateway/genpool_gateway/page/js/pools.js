// Pools as the API gives them.

/**
 * @typedef {{type: string, status: string, reason: string, message: string, last_transition_time: string}} Condition
 *
 * @typedef {object} Pool
 * @property {string} name
 * @property {string} uid
 * @property {boolean | null} ready
 * @property {boolean} accepts_tasks
 * @property {string | null} trouble
 * @property {string[]} workflows
 * @property {{existing: number | null, ready: number | null, busy: number | null, least: number | null, most: number | null}} replicas
 * @property {{name: string | null, waiting: number | null, running: number | null, dead_lettered: number | null, observed_at: string | null}} queue
 * @property {{mode: string | null, desired: number | null, reason: string | null, message: string | null, last_scale_time: string | null, idle_seconds: number | null}} scaling
 * @property {{max_attempts: number, max_input_bytes: number, message_ttl_seconds: number | null, allow_graphs: boolean, image_hosts: string[], callback_hosts: string[]} | null} limits
 * @property {string} links
 * @property {Condition[]} conditions
 *
 * @typedef {object} Pod
 * @property {string} name
 * @property {"starting" | "idle" | "busy" | "draining" | "unready" | "silent"} state
 * @property {string} since
 * @property {string | null} message
 * @property {boolean} works
 * @property {{id: string, workflow: string | null, started_at: string | null, progress: {value?: number, message?: string} | null} | null} task
 *
 * @typedef {Pool & {pods: Pod[]}} PoolDetail
 *
 * @typedef {(number | null)[]} Values
 * @typedef {object} History
 * @property {number} step_seconds
 * @property {string[]} times
 * @property {Values} waiting
 * @property {Values} running
 * @property {Values} pods
 * @property {Values} pods_ready
 * @property {Values} pods_wanted
 * @property {Values} arrivals
 * @property {Values} arrivals_plain
 * @property {Values} waits_known
 * @property {Values} wait_mean
 * @property {Values} wait_longest
 */

/** Where the API has a pool. @param {string} name `namespace/name` */
export const pathOf = (name) => `/v1/pools/${name.split("/").map(encodeURIComponent).join("/")}`;
