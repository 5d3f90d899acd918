/**
 * The STUN and TURN wire format, for anything that speaks it: bytes to values and back, no I/O.
 *
 * @module
 */
export {
  endpointKey,
  endpointOf,
  familyOf,
  formatAddress,
  parseAddress,
  parseSocketAddress,
  unmapped,
  wordAt,
} from './address.ts'
export type { Endpoint, EndpointKey, Family, IpAddress } from './address.ts'
export type { Attribute } from './attributes/attribute.ts'
export { CHANNEL_NUMBER, channelNumber, readChannelNumber } from './attributes/channel-number.ts'
export {
  NONCE,
  REALM,
  USERNAME,
  credentialText,
  readCredentialText,
  readUsername,
} from './attributes/credential-text.ts'
export { DATA, data } from './attributes/data.ts'
export { ERROR_CODE, errorCode, readErrorCode } from './attributes/error-code.ts'
export { EVEN_PORT, evenPort, readEvenPort } from './attributes/even-port.ts'
export { LIFETIME, lifetime, readLifetime } from './attributes/lifetime.ts'
export {
  REQUESTED_ADDRESS_FAMILY,
  readRequestedAddressFamily,
  requestedAddressFamily,
} from './attributes/requested-address-family.ts'
export {
  PROTOCOL_UDP,
  REQUESTED_TRANSPORT,
  readRequestedTransport,
  requestedTransport,
} from './attributes/requested-transport.ts'
export { RESERVATION_TOKEN, readReservationToken } from './attributes/reservation-token.ts'
export {
  UNKNOWN_ATTRIBUTES,
  readUnknownAttributes,
  unknownAttributes,
} from './attributes/unknown-attributes.ts'
export {
  XOR_MAPPED_ADDRESS,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
  readXorAddress,
  xorAddress,
} from './attributes/xor-address.ts'
export {
  CHANNEL_HEADER_BYTES,
  FIRST_CHANNEL,
  LAST_CHANNEL,
  channelPayloadLength,
  encodeChannelData,
  isChannelNumber,
  looksLikeChannelData,
} from './channel-data.ts'
export {
  FINGERPRINT,
  MESSAGE_INTEGRITY,
  isIntact,
  longTermKey,
  messageIntegrity,
} from './integrity.ts'
export {
  HEADER_BYTES,
  MAGIC_COOKIE,
  TRANSACTION_ID_BYTES,
  attributeValue,
  classes,
  decodeMessage,
  encodeMessage,
  isComprehensionRequired,
  messageType,
  methods,
  transactionIdOf,
} from './message.ts'
export type { DecodeError, DecodeReason, DecodeResult, Message, MessageParts } from './message.ts'
export { MAX_FRAME_BYTES, StreamFramer } from './stream-framing.ts'
export { readUint16, readUint32, writeUint16, writeUint32 } from './bytes.ts'
export type { FramingError } from './stream-framing.ts'
