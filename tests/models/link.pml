/* The keys of one link (SECURITY.md §6.4): re-handshakes, both sides calling at once, and records that
 * the way loses, doubles or swaps.
 *
 * What stands for what:
 *   Side(i)   a device; side 0 has the smaller device_id. Its steps are rules of §6.4:
 *     begins()   a re-handshake begins by its timer, or again (handshake retry): HS_INIT under a new index
 *     answers()  "simultaneous initiations: the one by the smaller device_id survives"; else HS_RESP.
 *                §6.2: an init_counter that is not greater than the last is a replay
 *     finishes() "the initiator uses the new keys after HS_RESP", and sends CONFIRM under them
 *     reads()    "the responder after the first record that opens under them"; "old keys are wiped on the
 *                first record under the new ones"
 *     ages()     "at most 10 s": may come at any time
 *     expires()  "hard reject": all keys are wiped; here once for each side
 *   Way       the carriers: FAULTS times a record is lost, doubled or swapped, or a cut loses all that is
 *             under way, as where a link moves to another carrier
 *   Silence   both hear nothing: whoever has an initiation under way retries it, and one of them begins
 * A key is the number of the handshake that made it. Messages are (kind, key).
 *
 * Holds: nobody opens a record under keys that a later one has replaced, or sends under keys that are
 * wiped; where nothing more happens, each side can read what the other sends; and after a fault the first
 * or second round of retries brings them together again (as after a hard reject), so that no two sides hold disjoint keys for ever.
 *
 * -DMUTANT_KEEPS: old keys outlive the first record under new ones.   MUST fail
 * -DMUTANT_BOTH:  of two initiations at once both are answered.       MUST fail
 * -DFAULTS=2 takes six minutes and 4.6 GB of memory.
 */

#ifndef FAULTS
#define FAULTS 1
#endif
#define TIMED 1      /* re-handshakes by the timer of each side */
#define RECORDS 1    /* that each side sends by itself */
#define ROUNDS 2     /* of retries after the last fault */
#define ROOM 4

#define bit(n) (1 << (n))
#define has(s, k) (((s) >> (k)) & 1)
#define other (1 - me)

mtype = { INIT, RESP, DATA };

chan way[2] = [ROOM] of { mtype, byte };  /* way[i]: to side i */

byte sends[2];        /* the key that side i sends under; 0: none */
int opens[2];         /* keys that open records for side i */
int replaced[2];      /* keys that were replaced: a ghost that no rule reads */
byte newest[2];       /* of the last handshake that side i has finished */
byte calls[2];        /* its own initiation under way; 0: none */
byte heard[2];        /* the greatest init_counter that was accepted */
byte timed[2], records[2];
bool expired[2];
byte made = 1;        /* handshakes so far: the first has brought both sides up */
byte faults, rounds;

#define isUsable (sends[0] != 0 && sends[1] != 0 && has(opens[1], sends[0]) && has(opens[0], sends[1]))
#define isQuiet (len(way[0]) == 0 && len(way[1]) == 0)

inline begins(me) {
  made++;
  calls[me] = made;
  way[1 - (me)]!INIT, made
}

inline wipeOld(me) {
  replaced[me] = replaced[me] | (opens[me] & ~bit(newest[me]));
  opens[me] = bit(newest[me]);
  if :: sends[me] != newest[me] -> sends[me] = 0 :: else fi
}

inline answers(k) {
  if
  :: k <= heard[me]                                  /* a replay */
#ifndef MUTANT_BOTH
  :: k > heard[me] && calls[me] != 0 && me == 0      /* one's own survives */
  :: k > heard[me] && !(calls[me] != 0 && me == 0) ->
     calls[me] = 0;
#else
  :: k > heard[me] ->
#endif
     heard[me] = k;
     newest[me] = k;
     opens[me] = opens[me] | bit(k);
     way[other]!RESP, k
  fi
}

inline finishes(k) {
  if
  :: calls[me] == k ->
     calls[me] = 0;
     newest[me] = k;
     opens[me] = opens[me] | bit(k);
     sends[me] = k;
     way[other]!DATA, k
  :: else                                            /* of an initiation that is over */
  fi
}

inline reads(k) {
  if
  :: has(opens[me], k) ->
     assert(!has(replaced[me], k));
     if
     :: k == newest[me] ->
#ifdef MUTANT_KEEPS
        replaced[me] = replaced[me] | (opens[me] & ~bit(k));
#else
        replaced[me] = replaced[me] | (opens[me] & ~bit(k));
        opens[me] = bit(k);
#endif
        if
        :: sends[me] != k -> sends[me] = k; way[other]!DATA, k
        :: else
        fi
     :: else
     fi
  :: else                                            /* keys that are not there (any more) */
  fi
}

proctype Side(byte me) {
  byte k;
  mtype kind;
end:
  do
  :: atomic { way[me]?[kind, k] && len(way[other]) < ROOM -> way[me]?kind, k;
       if
       :: kind == INIT -> answers(k)
       :: kind == RESP -> finishes(k)
       :: kind == DATA -> reads(k)
       fi;
       k = 0; kind = 0 }
  :: atomic { timed[me] < TIMED && calls[me] == 0 && len(way[other]) < ROOM ->
       timed[me]++; begins(me) }
  :: atomic { records[me] < RECORDS && sends[me] != 0 && len(way[other]) < ROOM ->
       assert(!has(replaced[me], sends[me]));
       records[me]++; way[other]!DATA, sends[me] }
  :: d_step { opens[me] != 0 && opens[me] != bit(newest[me]) && has(opens[me], newest[me]) -> wipeOld(me) }
  :: d_step { !expired[me] && opens[me] != 0 -> expired[me] = true; rounds = 0;
       replaced[me] = replaced[me] | opens[me]; opens[me] = 0; sends[me] = 0; newest[me] = 0 }
  od
}

proctype Way() {
  byte to, k;
  mtype kind;
end:
  do
  :: atomic { faults < FAULTS && !isQuiet ->
       if :: to = 0 :: to = 1 fi;
       if
       :: len(way[to]) > 0 -> way[to]?kind, k                        /* lost */
       :: len(way[to]) > 0 && nfull(way[to]) -> way[to]?<kind, k>; way[to]!kind, k  /* doubled, and late */
       :: len(way[to]) > 1 -> way[to]?kind, k; way[to]!kind, k       /* behind all others */
       :: true ->                                                    /* a cut */
          do
          :: len(way[0]) > 0 -> way[0]?kind, k
          :: len(way[1]) > 0 -> way[1]?kind, k
          :: isQuiet -> break
          od
       fi;
       faults++; rounds = 0; to = 0; k = 0; kind = 0 }
  od
}

proctype Silence() {
  bool zero, one;
end:
  do
  :: atomic { isQuiet && !isUsable ->
       rounds++;
       assert(rounds <= ROUNDS);
       if
       :: zero = true; one = calls[1] != 0
       :: zero = calls[0] != 0; one = true
       :: zero = true; one = true
       fi;
       if :: zero -> begins(0) :: else fi;
       if :: one -> begins(1) :: else fi;
       zero = false; one = false }
  od
}

/* Nothing more happens. */
proctype End() {
end:
  timeout -> assert(isUsable)
}

init {
  atomic {
    sends[0] = 1; sends[1] = 1; opens[0] = bit(1); opens[1] = bit(1); newest[0] = 1; newest[1] = 1;
    run Side(0); run Side(1); run Way(); run Silence(); run End()
  }
}
