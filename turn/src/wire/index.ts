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
export {
  ADDITIONAL_ADDRESS_FAMILY,
  additionalAddressFamily,
  asksForIpv6Too,
} from './attributes/additional-address-family.ts'
export {
  ADDRESS_ERROR_CODE,
  addressErrorCode,
  readAddressErrorCode,
} from './attributes/address-error-code.ts'
export {
  ALTERNATE_SERVER,
  alternateServer,
  readAlternateServer,
} from './attributes/alternate-server.ts'
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
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
  passwordAlgorithm,
  passwordAlgorithms,
  readPasswordAlgorithm,
} from './attributes/password-algorithms.ts'
export type { PasswordAlgorithm } from './attributes/password-algorithms.ts'
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
export {
  RESERVATION_TOKEN,
  readReservationToken,
  reservationToken,
} from './attributes/reservation-token.ts'
export {
  UNKNOWN_ATTRIBUTES,
  readUnknownAttributes,
  unknownAttributes,
} from './attributes/unknown-attributes.ts'
export { USERHASH, readUserHash, userHash, userHashOf } from './attributes/user-hash.ts'
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
  MESSAGE_INTEGRITY_SHA256,
  isIntact,
  longTermKey,
  messageIntegrity,
} from './integrity.ts'
export type { IntegrityHash } from './integrity.ts'
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
