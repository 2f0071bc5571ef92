@0xd6c1f1c2a07e4b35;
# The local API: what apps and the command line say to the daemon of their own device over its Unix
# socket (docs/PROTOCOL.md, "Local API"). The bootstrap capability of a connection is a Daemon.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("hearth::local");
$Cxx.allowCancellation;

interface Daemon {
  status @0 () -> (status :Status);

  devices @1 () -> (devices :List(Device));
  # Every device that the circle ever had, this one first.

  run @2 (order :JobOrder, sink :TextSink, watch :JobWatch) -> (job :Job);
  # Starts a job whose sink is the caller. Dropping the returned Job cancels it.

  jobs @3 (most :UInt32) -> (jobs :List(JobSummary));
  # Newest first.

  why @4 (job :Text) -> (record :JobRecord);
  # `job`: the id, or a prefix of at least four digits; empty: the newest.

  pair @5 (code :Text, address :Text, role :Role, confirm :Confirm) -> (device :Device);
  # Brings in the device that waits at `address` ("HOST:PORT"). `code`: the six words that it shows,
  # the text of its QR code ("HEARTH1:..."), which names places itself where `address` is empty, or
  # nothing: then both screens show pictures.

  remove @6 (device :Text, reason :RemoveReason) -> (device :Device, waits :Pending);
  # `device`: a name, an id or the beginning of one. Authors Remove and a new Epoch; `waits`, here and
  # below, is set where that takes another admin, who has to agree first.

  waiting @7 () -> (places :List(Text));
  # Looks for three seconds on the local link for devices that show a code, and says where each waits.
  # It is for a person to say which one is meant: a guess that goes to another device counts there.

  links @8 () -> (links :List(Link));
  # The links that are up, as they are now. Asked again and again, for as long as somebody watches.

  relays @9 (add :Text, remove :Text) -> (relays :List(Relay));
  # The blind relays that the owner has named for this device, after naming or forgetting one
  # ("HOST:PORT"; empty: none).

  setRole @10 (device :Text, role :Role) -> (device :Device, waits :Pending);

  reinstate @11 (device :Text) -> (device :Device, waits :Pending);
  # A suspended device has its part again.

  leave @12 () -> ();
  # This device has no part in the circle any more.

  rename @13 (device :Text, name :Text) -> (device :Device);
  # `device` empty: this one.

  pending @14 () -> (pending :List(Pending));
  # What waits for the word of an admin: what this device has asked, and what it is asked.

  decide @15 (id :Text, agrees :Bool) -> (done :Bool);
  # The word of this device's user: about what it is asked, or, with `agrees` false, about what it has
  # asked itself, which is taken back. `done`: the circle has followed already.

  documents @16 () -> (documents :Documents);

  policy @17 (set :List(Setting)) -> (version :UInt64, settings :List(Setting), waits :Pending);
  # What the circle's owner allows, after setting what is named. "min-suite" is set alone.

  blobs @18 () -> (blobs :Blobs);

  folders @19 () -> (folders :Folders);

  find @20 (typed :Text, most :UInt32, kind :FoundKind)
      -> (found :List(Found), matches :UInt64, more :Bool, owed :UInt64);
  # What people type to find something, any bytes: words, "words one after another", beginn*, -not. The best come first,
  # at most 100. `matches`: that there are, and `more`: some more. `owed`: changes that the index does not know yet.

  checkUp @21 () -> (pages :UInt64, problems :List(Text));
  # Reads all of the database, and tells what of it is not what was written, a line each.

  clipboard @22 () -> (clipboard :Clipboard);

  settings @23 () -> (settings :Settings);

  limits @24 () -> (limits :Limits);
}

interface Clipboard {
  # What was copied on any device of the circle, for as long as it lives: then it is gone on all of them.

  copy @0 (mime :Text, bytes :Data, lifetime :ClipLifetime, secret :Bool) -> (entry :Clip);
  # At most 4 MiB. Resolves when it is on disk.

  paste @1 (id :Text) -> (entry :Clip, bytes :Data);
  # `id`: the beginning of one; empty: the newest.

  list @2 () -> (entries :List(Clip));
  # Newest first.

  clear @3 () -> (gone :UInt32);
  # All of it is gone, here when this resolves, and on every other device as soon as it hears of it.

  watch @4 (watcher :ClipboardWatcher) -> ();
  # Tells what is there, and again whenever that changes, until the call is dropped.
}

struct ClipLifetime {
  union {
    usual @0 :Void;           # as the setting clipboard.lifetime says
    none @1 :Void;            # until others have taken its room, or somebody clears
    ms @2 :UInt64;
  }
}

struct Clip {
  id @0 :Text;
  mime @1 :Text;
  bytes @2 :UInt64;
  preview @3 :Text;           # of a text that is no secret
  secret @4 :Bool;
  leftMs @5 :UInt64;          # 0: it has no lifetime
  device @6 :Text;            # where it was copied, by name
  deviceId @7 :Text;
}

interface ClipboardWatcher {
  changed @0 (entries :List(Clip)) -> ();
  # The next one comes when it has returned.
}

interface Settings {
  # Values that all devices share, by key; one device may have its own.

  list @0 () -> (settings :List(SharedSetting));
  # In order of their keys; under each what holds for all devices first.

  set @1 (key :Text, json :Text, device :Text, lifetimeMs :UInt64) -> ();
  # `device`: for that one alone, by name, id or the beginning of one; empty: for all. With a lifetime (0: none) what was
  # there before holds again after it.

  remove @2 (key :Text, device :Text) -> (wasThere :Bool);

  watch @3 (watcher :SettingsWatcher) -> ();
  # Tells them, and again whenever one is something else, until the call is dropped.
}

struct SharedSetting {
  key @0 :Text;
  json @1 :Text;
  device @2 :Text;            # name; empty: it is for all devices
  deviceId @3 :Text;
  leftMs @4 :UInt64;          # of its lifetime; 0: it has none
  holds @5 :Bool;             # here: no other one under its key stands before it
  problem @6 :Text;           # why it is not used; empty: none
}

interface SettingsWatcher {
  changed @0 (settings :List(SharedSetting)) -> ();
  # The next one comes when it has returned.
}

interface Limits {
  # How much this device sends and fetches of blobs, of files of folders and of what lies on VAULTs, and when that rests.
  # Documents, operations and live streams always go. It is this device's own, and stays when the daemon ends.

  get @0 () -> (limits :LimitsView);

  setRates @1 (device :Text, up :Int64, down :Int64) -> ();
  # Bytes a second towards that device, or, where it is empty, of all together; 0: none; below 0: as it is.

  setResting @2 (belowPercent :Int16, onMetered :Int8) -> ();
  # Below 0: as it is. `belowPercent`: 0 to 101; `onMetered`: 0 or 1.

  pause @3 (seconds :UInt32) -> ();
  # From now on, for so long; 0: until resume().

  resume @4 () -> ();
}

struct LimitsView {
  rates @0 :List(Rates);      # those that there are
  belowPercent @1 :UInt8;     # rests on a battery with less that is not charging; 0: never, 101: always on battery
  onMetered @2 :Bool;         # rests on a network that is metered
  rests @3 :Text;             # why it rests now; empty: it goes
  pausedUntilMs @4 :Int64;    # Unix time; 0: it is not; below 0: until resume()
  sentBytes @5 :UInt64;       # of bulk, since the daemon began
  fetchedBytes @6 :UInt64;

  struct Rates {
    device @0 :Text;          # its name; empty: all together
    id @1 :Text;
    up @2 :UInt64;            # bytes a second; 0: none
    down @3 :UInt64;
  }
}

enum FoundKind {
  anything @0;
  document @1;
  file @2;
  extracted @3;               # what a plugin has read in a file
}

struct Found {
  kind @0 :FoundKind;
  name @1 :Text;              # of the document, or of the file in its folder
  folder @2 :Text;
  path @3 :Text;              # of the file on this device; empty: its folder is not there just now
  snippet @4 :Text;           # in one line
  marks @5 :List(Mark);       # in it: what was looked for
  hasBefore @6 :Bool;
  hasAfter @7 :Bool;
  score @8 :Int64;            # greater is better

  struct Mark {
    begin @0 :UInt32;         # bytes
    end @1 :UInt32;
  }
}

interface Folders {
  # Directories that are the same on every device that has them. What is called the same is the same.

  list @0 () -> (folders :List(Folder));

  add @1 (path :Text, name :Text, direction :Direction) -> ();
  # The directory becomes the folder of that name. Its files, and those of the others, follow.

  remove @2 (name :Text) -> (wasThere :Bool);
  # It is a directory like any other from now on. Nothing happens to any file.

  choose @3 (what :KeepChoice, paths :List(Text)) -> (freed :Freed);
  # What of a folder is kept on this device. The paths are this device's own, all in one folder, of what it has or of the
  # folder itself. Resolves when what is not kept has left, or stays because no other device is known to have it.

  show @4 (path :Text, after :Text) -> (shown :FolderShown);
  # What a folder has at that path, be it here or away; of a directory's entries 1,024 that come after that name.

  look @5 (path :Text) -> (found :Bool, entry :FolderEntry);
  # The same of the path alone, without sums.

  read @6 (path :Text, content :Data, offset :UInt64, bytes :UInt32) -> (how :FolderRead, bytes :Data);
  # Bytes of the file with that content that is at that path, here or away; fewer than asked at its end, and 4 MiB at
  # most. What is away is fetched from other devices, no more of it than is needed, and not kept.

  set @7 (name :Text, direction :Direction) -> (wasThere :Bool);
  # Resolves when it holds. What was held back until then follows.
}

enum Direction {
  both @0;
  send @1;                    # what others change does not come to this device
  receive @2;                 # what is changed on this device is not told
}

enum FolderRead {
  done @0;
  missing @1;                 # there is no such file
  changed @2;                 # it is another by now
  nowhere @3;                 # no device that can be reached has it
  timedOut @4;
  failed @5;
}

enum KeepChoice {
  free @0;                    # these are not kept here
  only @1;                    # nothing else is
  keep @2;                    # these are, again
}

struct Freed {
  files @0 :UInt64;           # that have left
  bytes @1 :UInt64;
  staying @2 :UInt64;         # files that have not
  reasons @3 :List(Folder.Trouble);  # of the first 64 of these: why
}

struct FolderShown {
  folder @0 :Text;            # its name
  path @1 :Text;              # in it; empty: the folder itself
  entry @2 :FolderEntry;      # of the path itself; of the folder the sums alone
  entries @3 :List(FolderEntry);  # in order of their names
  more @4 :Bool;
}

struct FolderEntry {
  name @0 :Text;
  kind @1 :Kind;
  bytes @2 :UInt64;           # of a file, here or away
  modifiedNs @3 :Int64;       # of a file, since 1970
  mode @4 :UInt32;            # permission bits
  here @5 :Bool;              # a file's bytes; always for the others
  kept @6 :Bool;              # by choice
  hereFiles @7 :UInt64;       # at the path and in it
  hereBytes @8 :UInt64;
  awayFiles @9 :UInt64;
  awayBytes @10 :UInt64;
  target @11 :Text;           # of a link
  content @12 :Data;          # of a file: the reference of its bytes

  enum Kind {
    file @0;
    directory @1;
    link @2;
  }
}

struct Folder {
  name @0 :Text;
  path @1 :Text;
  files @2 :UInt64;
  bytes @3 :UInt64;
  pending @4 :UInt64;         # paths that are not yet what they are elsewhere
  scanning @5 :Bool;          # all files are looked at, since the daemon began or changes were missed
  lookedAt @6 :UInt64;        # files, so far
  receivedBytes @7 :UInt64;   # from other devices, since the daemon began
  problem @8 :Text;           # of the folder itself; empty: none
  troubles @9 :List(Trouble);
  upToDateWith @10 :List(Text);  # devices whose log is known to be this one's, where nothing is pending
  reachable @11 :List(Text);     # devices that there are links to
  awayFiles @12 :UInt64;      # that are not here by choice
  awayBytes @13 :UInt64;
  choices @14 :List(Choice);  # the nearest one counts for a path; without any it is kept
  rests @15 :Text;            # why nothing is fetched or sent just now; empty: it is
  direction @16 :Direction;
  changedHere @17 :UInt64;    # paths, which is not told: it only receives
  notTaken @18 :UInt64;       # paths that others have changed: it only sends. They are not pending

  struct Choice {
    path @0 :Text;            # in the folder; empty: the folder itself
    kept @1 :Bool;
  }

  struct Trouble {
    path @0 :Text;
    what @1 :Text;
    leftOut @2 :Bool;         # it stays on this device alone, and that is all
  }
}

interface Blobs {
  # Files of any size that all devices know by name. A blob lies on the devices that have put, pinned or got it.
  # `blob`: a name, or eight digits or more of a content id.

  list @0 () -> (blobs :List(NamedBlob));

  put @1 (name :Text) -> (put :BlobPut);

  get @2 (blob :Text, begin :UInt64, end :UInt64, sink :BlobSink) -> (blob :NamedBlob);
  # Writes the bytes from `begin` to before `end` (0: to the blob's end) to the sink. The whole of a blob is fetched
  # first, unless it is here, and stays as long as there is room; of a part no more than that is fetched.

  pin @3 (blob :Text, sink :BlobSink) -> (blob :NamedBlob);
  # Fetches it, and keeps it whatever the room.

  unpin @4 (blob :Text) -> (blob :NamedBlob);
  # It may go when there is no room and other devices keep it.

  remove @5 (name :Text) -> ();
  # Every device forgets it and shreds its key, once nothing else is called so.

  find @6 (blob :Text) -> (blob :NamedBlob);

  usage @7 () -> (usedBytes :UInt64, evictableBytes :UInt64, roomBytes :UInt64);
}

interface BlobPut {
  # A blob on its way in; dropping it gives it up. One call at a time, but for pieces.

  add @0 (bytes :Data) -> ();
  # At most 1 MiB; four of them may be under way.

  cut @1 () -> (again :Bool);
  # All bytes have come. `again`: they are to come once more, from the first on.

  finish @2 () -> (blob :NamedBlob);
  # It is on disk, kept, and named.
}

interface BlobSink {
  progress @0 (done :UInt64, total :UInt64) -> ();
  # Bytes that are here, while it is fetched.

  write @1 (bytes :Data) -> ();
}

struct NamedBlob {
  name @0 :Text;
  id @1 :Text;                # content id, hex
  bytes @2 :UInt64;
  here @3 :Bool;
  pinned @4 :Bool;
  receivedBytes @5 :Int64;    # while it is fetched; else below 0
  holders @6 :List(Holder);

  struct Holder {
    device @0 :Text;          # name
    deviceId @1 :Text;
    keeps @2 :Bool;           # whatever the room
  }
}

interface Documents {
  list @0 () -> (names :List(Text));

  open @1 (name :Text) -> (document :Document);
  # The document of that name (1 to 255 bytes), which is empty before anybody has written to it.

  presence @2 (name :Text) -> (presence :Presence);
  # Who is at it just now.
}

interface Presence {
  # Who is at a document, on all devices that there are links to, and what they say to each other: of at most 4096
  # bytes of JSON, on no disk, and gone with whoever said it.

  enter @0 (json :Text) -> (place :Place);
  # This app is there, for as long as it holds its place.

  list @1 () -> (there :List(There));

  watch @2 (watcher :PresenceWatcher) -> ();
  # Tells who is there, and again whenever that changes, and what others say, until the call is dropped.

  say @3 (json :Text) -> ();
  # To whoever is there now, on every other device. Whoever comes later never hears it.

  interface Place {
    become @0 (json :Text) -> ();
    # Says something else of itself.
  }
  struct There {
    device @0 :Text;          # name
    deviceId @1 :Text;
    json @2 :Text;
    own @3 :Bool;             # on this device
  }
}

interface PresenceWatcher {
  changed @0 (there :List(Presence.There)) -> ();
  said @1 (device :Text, deviceId :Text, json :Text) -> ();
  # The next one comes when it has returned; what comes too fast is left out.
}

interface Document {
  # Paths are JSON Pointers (RFC 6901). A version is a text as read() and changes() give it; empty: now.
  # In JSON, content that JSON has not stands as an object with one key: {"$text": "…"}, {"$counter": 3},
  # {"$set": […]}, {"$bytes": "base64"}; a key that begins with $ has another $ in front.
  # Whatever changes the document resolves when that is on disk.

  read @0 (path :Text, version :Text, typed :Bool) -> (json :Text, version :Text);
  # With `typed` as above; else a text is a string, a counter a number, a set an array.

  set @1 (path :Text, json :Text, since :Text) -> (version :Text);
  # What is there becomes that, by the fewest changes. With `since`: of that version, and what others
  # changed since stays.

  remove @2 (path :Text) -> (version :Text);
  edit @3 (path :Text, at :UInt32, erased :UInt32, typed :Text) -> (version :Text);
  # Code points of a text.
  add @4 (path :Text, count :Int64) -> (version :Text);
  include @5 (path :Text, json :Text, included :Bool) -> (version :Text);
  move @6 (path :Text, to :UInt32) -> (version :Text);

  undo @7 () -> (done :Bool, version :Text);
  redo @8 () -> (done :Bool, version :Text);
  # The own changes of this device; `done` false: there is none.

  changes @9 (most :UInt32) -> (changes :List(Change));
  # Newest first.

  authors @10 (path :Text) -> (pieces :List(Piece));
  # Who wrote what is there: of a text piece by piece.

  diff @11 (from :Text, to :Text) -> (json :Text);
  # A JSON Patch (RFC 6902).

  watch @12 (path :Text, watcher :DocumentWatcher) -> ();
  # Tells what is there, and again whenever it is something else, until the call is dropped.

  bundles @13 () -> (bundles :List(Data));
  # The whole document with its history, in its binary form.

  struct Change {
    version @0 :Text;         # as it was behind it
    device @1 :Text;          # name
    deviceId @2 :Text;
    timeMs @3 :Int64;         # by its author's clock
    operations @4 :UInt32;
  }
  struct Piece {
    json @0 :Text;
    device @1 :Text;
    deviceId @2 :Text;
    timeMs @3 :Int64;
  }
}

interface DocumentWatcher {
  changed @0 (json :Text, version :Text) -> ();
  # An empty `json`: nothing is there. The next one comes when it has returned.
}

struct Setting {
  key @0 :Text;               # public, personal, health, secret, stale-days, min-suite
  value @1 :Text;             # "A2", "7"
}

struct Pending {
  id @0 :Text;                # hex; at least four digits of it name it
  what @1 :Text;              # "make tablet an admin"
  target @2 :Text;            # whom it is about: display form; empty for what is about all
  from @3 :Text;              # who asks, by name
  own @4 :Bool;               # this device does
  agreed @5 :Bool;            # an admin has agreed: it ends when both are there
  waitsFor @6 :List(Text);    # names
  refused @7 :List(Text);     # names
  leftS @8 :UInt64;           # until it is forgotten
}

struct Relay {
  address @0 :Text;
  waiting @1 :Bool;           # whether the relay lets this device wait there now
}

interface Confirm {
  confirm @0 (device :Device) -> (yes :Bool);
  # Asked once the device has been proved to be the one meant, before the circle learns of it.

  compare @1 (pictures :List(Picture), digits :Text) -> (same :Bool);
  # Asked when `code` was empty: whether the other screen shows the same, pictures or digits.

  waits @2 (pending :Pending) -> ();
  # Another admin has to agree. The new device waits, and so does pair().

  struct Picture {
    name @0 :Text;
    codePoint @1 :UInt32;
  }
}

interface TextSink {
  text @0 (piece :TextPiece) -> ();
  # The return is the receipt: what has been returned from is committed and never sent again.

  ended @1 (end :JobEnd) -> ();
}

interface JobWatch {
  event @0 (event :JobEvent) -> ();

  level @1 (level :Level) -> ();
  # Ten times a second, where the order asks for it: how loud the microphone of the job is. One that
  # would come late does not come.
}

struct Level {
  dbBelowFull @0 :UInt8;      # 0..96, 96 is silence
  skipped @1 :UInt64;         # levels that were too late, since the one before
}

interface Job {
  id @0 () -> (id :Text);
  cancel @1 () -> ();
}

enum Role { admin @0; member @1; vault @2; }
enum RemoveReason { lost @0; stolen @1; retired @2; }

struct Status {
  name @0 :Text;
  deviceId @1 :Text;          # display form, 56 characters in 8 groups
  class @2 :Text;
  role @3 :Text;
  circle @4 :Text;            # short form
  listen @5 :List(Text);      # "HOST:PORT"
  keyStore @6 :Text;          # where the platform root is kept, in words
  devicesActive @7 :UInt32;
  devicesReachable @8 :UInt32;
  jobsRunning @9 :UInt32;
  uptimeS @10 :UInt64;
  version @11 :Text;
  plugins @12 :List(Plugin);
  alarms @13 :List(Text);     # what the user should know, a line each
  anchors @14 :Anchors;
  rests @15 :Text;            # why bulk transfer rests (Limits); empty: it goes
}

# What would show that this device's disk was put back to an older copy.
struct Anchors {
  file @0 :Bool;              # beside the database
  counter @1 :Text;           # what it is; empty: none
  counterFails @2 :Text;      # why there is none, if the machine has a chip
  witnesses @3 :UInt32;       # other devices of the circle
  words @4 :Text;             # all of it, a line for people
}

struct Plugin {
  task @0 :Text;
  name @1 :Text;
  version @2 :Text;
  measurement @3 :Text;       # hex
  fixedS @4 :Float64;         # cost of any input, seconds
  perUnitS @5 :Float64;       # cost for each unit (a second of audio, a character), seconds
  warm @6 :Bool;
}

struct Device {
  name @0 :Text;
  id @1 :Text;
  class @2 :Text;
  role @3 :Text;
  status @4 :Text;            # active, suspended, quarantined, removed
  self @5 :Bool;
  reachable @6 :Bool;
  address @7 :Text;           # of the live link, else the last one known
  rttMs @8 :Float64;          # below 0: not measured
  plugins @9 :List(Plugin);
  sensors @10 :List(Text);
  battery @11 :Float64;       # 0..1; below 0: on mains
  path @12 :Text;             # of the live link: tcp, udp, member, relay; else empty
  via @13 :Text;              # the member's name, or the relay's address
  carriedBytes @14 :UInt64;   # by this device, between that one and others; of itself: in all
  carriedNow @15 :UInt32;     # streams of these that go on
  pending @16 :List(Pending); # that is about it, or waits for its user
  heldFiles @17 :UInt64;      # of a VAULT: sealed files that it holds, as far as this device knows
  heldBytes @18 :UInt64;
}

struct Link {
  device @0 :Text;            # name
  id @1 :Text;                # display form
  path @2 :Text;              # tcp, udp, member, relay
  address @3 :Text;
  initiated @4 :Bool;         # by this device
  upS @5 :Float64;            # since the session goes over this link
  rttMs @6 :Float64;          # below 0: not measured
  bandwidthBps @7 :Float64;   # bytes a second, as the carrier estimates it; below 0: not measured
  keysAgeS @8 :Float64;       # since the newest handshake
  rehandshakes @9 :UInt32;    # after the first
  lanes @10 :List(Lane);      # control, live, interactive, bulk
  live @11 :LiveFrames;       # frames with deadlines, of the session
  carriers @12 :UInt32;       # over which the session has gone so far, with its streams; this link is the newest

  struct Lane {
    name @0 :Text;
    sentBytes @1 :UInt64;     # of streams, of the session
    receivedBytes @2 :UInt64;
  }

  struct LiveFrames {
    sent @0 :UInt64;          # sealed in time
    dropped @1 :UInt64;       # of this device's: late before they could be sent
    lateThere @2 :UInt64;     # of this device's: late at the peer, as far as it has said
    received @3 :UInt64;      # of the peer's: read in time
    late @4 :UInt64;          # of the peer's: came too late, or were read too late
    missing @5 :UInt64;       # of the peer's: never came
  }
}

struct JobOrder {
  workload @0 :Text;          # a built-in name, or TOML
  from @1 :Text;              # the device whose sensor is the source; empty: this one
  inputs @2 :List(Input);     # recorded input in place of a sensor
  levels @3 :Bool;            # whether the watch is to be told how loud the microphone is

  struct Input {
    port @0 :Text;            # name of the source stage
    wav @1 :Data;             # a whole WAV file, read by the caller
    pace @2 :Bool;            # true: played in real time, as a microphone gives it
  }
}

struct TextPiece {
  seq @0 :UInt64;             # 1, 2, 3 ...
  text @1 :Text;
  ptsUs @2 :UInt64;           # media time at which the words ended
  latencyMs @3 :Float64;      # from the end of the speech to this delivery; below 0: unknown
}

struct JobEnd {
  ok @0 :Bool;
  code @1 :UInt16;            # Errc when not ok
  message @2 :Text;           # one line
}

struct JobEvent {
  atMs @0 :Int64;             # Unix time
  kind @1 :Text;              # placed, started, first-frame, lost, failed, waiting, resumed, ended
  stage @2 :Text;
  device @3 :Text;            # name
  attempt @4 :UInt32;
  message @5 :Text;           # one line
}

struct Candidate {
  device @0 :Text;
  chosen @1 :Bool;
  reason @2 :Text;
}

struct Placement {
  stage @0 :Text;
  task @1 :Text;
  device @2 :Text;
  plugin @3 :Text;
  attempt @4 :UInt32;
  candidates @5 :List(Candidate);
}

struct JobSummary {
  id @0 :Text;
  workload @1 :Text;
  state @2 :Text;             # running, waiting, done, failed, cancelled
  startedMs @3 :Int64;
  endedMs @4 :Int64;          # 0 while it runs
  pieces @5 :UInt64;
}

struct JobRecord {
  summary @0 :JobSummary;
  placements @1 :List(Placement);  # every attempt, in order
  events @2 :List(JobEvent);
  message @3 :Text;
}
