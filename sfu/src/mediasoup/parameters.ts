import type { Result } from '@parley/protocol'
import { fail, ok } from '@parley/protocol'
import type { types } from 'mediasoup'
import { z } from 'zod'

/**
 * Strict shapes of what devices send through to mediasoup. mediasoup 3.27 checks most of it, but not
 * all, and serialises what it has not checked: `codecPayloadType: {"toString":1,"valueOf":1}` throws
 * halfway through a message, and the worker's channel is then broken for every room on it. So
 * nothing passes that is not a plain value.
 */
const name = z.string().max(256)
const payloadType = z.int().min(0).max(127)
const ssrc = z.int().min(0).max(0xffff_ffff)
const int32 = z.int().min(-0x8000_0000).max(0x7fff_ffff)
const plainValue = z.union([
  z.string().max(4_096),
  int32,
  z.number(),
  z.boolean(),
  z.array(int32).max(64),
])
const plainValues = z.record(name, plainValue)

const rtcpFeedback = z.object({ type: name, parameter: name.optional() })

const codecBase = {
  mimeType: name,
  clockRate: z.int().min(1).max(1_000_000),
  channels: z.int().min(1).max(255).optional(),
  parameters: plainValues.optional(),
  rtcpFeedback: z.array(rtcpFeedback).max(32).optional(),
}

const encoding = z.object({
  ssrc: ssrc.optional(),
  rid: name.optional(),
  codecPayloadType: payloadType.optional(),
  rtx: z.object({ ssrc }).optional(),
  dtx: z.boolean().optional(),
  scalabilityMode: name.optional(),
  scaleResolutionDownBy: z.number().optional(),
  maxBitrate: z.int().min(0).max(0xffff_ffff).optional(),
})

const rtpParameters = z.object({
  mid: z.string().max(32).optional(),
  codecs: z
    .array(z.object({ ...codecBase, payloadType }))
    .min(1)
    .max(32),
  headerExtensions: z
    .array(
      z.object({
        uri: name,
        id: z.int().min(1).max(255),
        encrypt: z.boolean().optional(),
        parameters: plainValues.optional(),
      }),
    )
    .max(32)
    .optional(),
  /** The contract knows three spatial layers. */
  encodings: z.array(encoding).max(3).optional(),
  rtcp: z
    .object({
      cname: name.optional(),
      reducedSize: z.boolean().optional(),
      mux: z.boolean().optional(),
    })
    .optional(),
  msid: name.optional(),
})

const rtpCapabilities = z.object({
  codecs: z
    .array(
      z.object({
        ...codecBase,
        kind: z.enum(['audio', 'video']),
        preferredPayloadType: payloadType.optional(),
      }),
    )
    .max(128)
    .optional(),
  headerExtensions: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        uri: name,
        preferredId: z.int().min(1).max(255),
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
      }),
    )
    .max(128)
    .optional(),
})

const dtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: z.string().regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){19,63}$/),
      }),
    )
    .min(1)
    .max(8),
})

/** Fails with `bad-media-parameters`, which names the field. */
export const parseRtpParameters = (value: unknown) =>
  parse<types.RtpParameters>(rtpParameters, value, 'rtpParameters')

/** Fails with `bad-media-parameters`, which names the field. */
export const parseRtpCapabilities = (value: unknown) =>
  parse<types.RtpCapabilities>(rtpCapabilities, value, 'rtpCapabilities')

/** Fails with `bad-media-parameters`, which names the field. */
export const parseDtlsParameters = (value: unknown) =>
  parse<types.DtlsParameters>(dtlsParameters, value, 'dtlsParameters')

function parse<T>(schema: z.ZodType, value: unknown, root: string): Result<T> {
  const parsed = schema.safeParse(value)
  // The schemas are the types' plain part; mediasoup checks names of codecs and the like itself.
  if (parsed.success) return ok(parsed.data as T)
  const issue = parsed.error.issues[0]
  const field = ['data', root, ...(issue?.path ?? [])].join('.')
  return fail('bad-media-parameters', { message: `${field}: ${issue?.message ?? 'bad'}`, field })
}
