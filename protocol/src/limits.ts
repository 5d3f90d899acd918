/** Sizes and rates that both ends enforce. `docs/protocol/client.md` lists them for other clients. */
export const limits = {
  /** One message on the wire. An SDP of eight video sections is about 30 KB; larger invites abuse. */
  messageBytes: 128 * 1024,
  /** Opaque ids (device, call, participant, producer …), in characters. */
  idLength: 64,
  userIdLength: 64,
  /** A token, in characters. */
  tokenLength: 8_192,
  roomNameLength: 64,
  /** One session description, in characters. */
  sdpLength: 64 * 1024,
  /** A device's signature on a session description, in characters. */
  proofLength: 512,
  /** One ICE candidate line, in characters. */
  candidateLength: 1_024,
  /** A seat ticket, in characters: it names everybody who is in the call. */
  ticketLength: 64 * 1024,
  /** How long a ticket gives its seat back. */
  ticketLifetimeMs: 24 * 60 * 60_000,
  /** People in one call. One mediasoup worker carries about this many with video. */
  participantsPerCall: 50,
  /** Devices in the lobby of one call, and of one user among them. */
  waitingPerCall: 100,
  waitingDevicesPerUser: 4,
  /** Moderators of a call whom their tokens do not make so, people removed, and people silenced. */
  policyPeople: 50,
  /** Calls that one device is in at once; all but one are on hold. */
  callsPerDevice: 4,
  /** Room patterns in one grant of a token. */
  grantedRooms: 64,
  /** People rung by one request. */
  invitesPerRequest: 20,
  /** Opaque bytes that go with a ring, in characters of base64url; a push must hold them. */
  payloadLength: 3_072,
  /** One message or its bytes in a call, in characters; larger files belong elsewhere. */
  messageLength: 16 * 1024,
  /** The same sealed, in characters of base64url: each character of a text may be three bytes. */
  sealedMessageLength: 72 * 1024,
  /** One emoji of many code points, or a word. */
  reactionLength: 32,
  /** Messages and reactions that a device may send at once, then per second. */
  messageBurst: 60,
  messagesPerSecond: 20,
  /** People whose presence one session may watch. */
  presenceUsers: 500,
  /** How long changes of presence are gathered before they are told, in one event. */
  presenceTickMs: 250,
  /** URL of a push service's endpoint, in characters. */
  pushEndpointLength: 2_048,
  /** Devices of one user that can be woken; the oldest is dropped. */
  pushDevicesPerUser: 20,
  /** Missed calls kept for a user; the oldest are dropped. */
  missedCalls: 100,
  /** Media streams that one participant publishes: microphone, camera, screen and its sound. */
  producersPerParticipant: 8,
  /** Streams named in one `sfu.view`. */
  viewsPerMessage: 200,
  /** Requests that a session may make at once, then per second. A join costs about twenty. */
  requestBurst: 200,
  requestsPerSecond: 40,
  /** Bytes of requests that a session may send at once, then per second. */
  requestBytesBurst: 2 * 1024 * 1024,
  requestBytesPerSecond: 256 * 1024,
  /** How long the answer to a request id is kept for repeats, and for how many requests. */
  answerCacheMs: 60_000,
  answerCacheSize: 256,
  /** One MLS message in base64url, in characters: a group of 50 has 33 KB of public state. */
  mlsMessageLength: 96 * 1024,
  /** Commits that a call keeps for devices that missed some, and their characters in all. */
  mlsCommits: 64,
  mlsCommitsLength: 1024 * 1024,
  /** Entries of one user's device list, and characters of one entry. */
  deviceEntries: 64,
  deviceEntryLength: 1_024,
  /** Devices of one user whose cards are kept; the one that was shown longest ago is dropped. */
  deviceCards: 16,
  /** Users whose device lists are kept in memory; the longest unused goes first. */
  deviceLists: 10_000,
  /** Events kept for a session whose socket is away; more than this and it gets a snapshot. */
  replayEvents: 256,
  /** How long a session waits for its socket to come back before its calls end. */
  sessionGraceMs: 30_000,
  /** The same for a page that said that it goes away, perhaps to be loaded again. */
  reloadGraceMs: 12_000,
} as const
