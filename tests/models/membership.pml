/* Resolution of the membership log (SECURITY.md §5.4) in a small world, over every order of delivery.
 *
 * The past of all: ADMINs a, b, c and d, and the recovery key r. Each of a, b and c writes one op that
 * knows of no other: an Add or a Remove. A device that such an op makes an ADMIN may write one more,
 * which knows of that op alone. Two replicas get these ops in any order, any of them again and again.
 *
 * What stands for what:
 *   choose()             what each admin does: twelve ways, so that weights 1, 2 and 3, chains, mutual
 *                        removals, three-cycles and devices that come in twice all occur
 *   Replica              one device's log: §5.1 "ops with unknown parents wait", and §5.4's Resolve after
 *                        each op, over the ops in the order in which they came (as crypto/membership
 *                        keeps them): the outcome must not depend on it
 *   hit()                "n hits the ops o of V" (rules 2, 3, 5 and 8; there is no reset and no fork here)
 *   attack()             "n attacks m iff n hits m or an op in rests(m)"
 *   decide()             "repeat on undecided N: take the strongly connected components ..." (rule 4)
 *   keep()               "void: what is not in V ..." and "go through the rest in topological order"
 *   fold()               Fold: status and role of each device
 *   known_outcomes()     what must come out, said without Resolve
 * Holds: equal sets give equal state; an op that comes again changes nothing; known_outcomes().
 *
 * -DMUTANT_ARRIVAL: a replica applies each op when it comes.      MUST fail: equal sets, other states
 * -DMUTANT_ALL:     every authorised removal applies.             MUST fail: chains are no cycles
 * -DTABLE:          prints one line for each history, for the test that asks crypto/membership the same
 */

#define OPS 4
#define A 0
#define B 1
#define C 2
#define D 3
#define X 4
#define Y 5
#define R 6
#define bit(n) (1 << (n))

#define NOBODY 0
#define ACTIVE 1
#define SUSPENDED 2
#define REMOVED 3

#define MEMBER 0
#define ADMIN 1

#define WAYS 12      /* of an admin */
#define WAYS_NEW 4   /* of the new ADMIN, and 0: it writes nothing */

byte way[3];         /* what each admin does */
byte wayNew;         /* what the new ADMIN does */
byte behind;         /* the op that the new ADMIN's op has in its past */

/* Each replica: its ops in the order in which they came, and what they say together. */
#define came(r, n) arrivals[(r) * OPS + (n)]
byte arrivals[2 * OPS], length[2];
bool waits[2];       /* the new ADMIN's op came before the one that it rests on */
short says[2];

/* All below is worked out anew in each step, and is no part of a state. */
hidden byte there[OPS], adds[OPS], makes[OPS], isAuthorised[OPS], isNode[OPS], isVoid[OPS];
hidden byte target[OPS], signers[OPS], weight[OPS], past[OPS], hits[OPS], attacks[OPS], rests[OPS];
hidden byte reach[OPS], component[OPS], order[OPS];
hidden byte set, undecided, standing, suspending, count, i, j, k, w, t, other1, other2;
hidden byte status[6], role, roleWeight;
hidden byte isFree, isThere, allOut;
hidden short told;

/* The op that admin i writes by way w; §5.2: authorised in the state that all begin with, four ADMINs. */
inline op_of(o, by, how) {
  other1 = (by == A -> B : A);
  other2 = (by == C -> B : C);
  there[o] = true; adds[o] = false; makes[o] = false; past[o] = 0; rests[o] = 0;
  signers[o] = bit(by); weight[o] = 1;
  if
  :: how == 0 -> adds[o] = true; target[o] = X
  :: how == 1 -> adds[o] = true; target[o] = Y
  :: how == 2 -> adds[o] = true; target[o] = X; makes[o] = true; sign(o, D)
  :: how == 3 -> target[o] = other1
  :: how == 4 -> target[o] = other1; sign(o, D)
  :: how == 5 -> target[o] = other1; sign(o, R)
  :: how == 6 -> target[o] = other2; sign(o, D)
  :: how == 7 -> target[o] = other2; sign(o, R)
  :: how == 8 -> target[o] = D; sign(o, R)
  :: how == 9 -> target[o] = other1; sign(o, other2)
  :: how == 10 -> target[o] = other2; sign(o, other1)
  :: how == 11 -> adds[o] = true; target[o] = X; sign(o, D)
  fi;
  isAuthorised[o] = (adds[o] && !makes[o]) || weight[o] >= 2;
}

inline sign(o, who) {
  signers[o] = signers[o] | bit(who);
  weight[o] = (who == R -> 3 : weight[o] + 1);
}

/* Way 1: x alone brings y in. Ways 2 to 4: x and d remove a, b or c. Five ADMINs know of it. */
inline op_of_new() {
  there[3] = wayNew > 0; makes[3] = false; past[3] = bit(behind); rests[3] = bit(behind);
  adds[3] = wayNew == 1; signers[3] = bit(X); weight[3] = 1; isAuthorised[3] = true;
  if
  :: wayNew == 1 -> target[3] = Y
  :: wayNew > 1 -> target[3] = wayNew - 2; sign(3, D)
  :: else
  fi;
}

inline ops() {
  for (i : 0 .. 2) { op_of(i, i, way[i]) }
  op_of_new();
}

#define has(s, o) (((s) >> (o)) & 1)
#define isConcurrent(n, o) (n != o && !has(past[n], o) && !has(past[o], n))
#define isGrave(o) (makes[o] || !adds[o])   /* rows 2 and 3: whoever is removed here is an ADMIN */

inline hit() {
  for (i : 0 .. OPS - 1) {
    hits[i] = 0; attacks[i] = 0;
    isNode[i] = has(set, i) && isAuthorised[i] && (!adds[i] || (makes[i] && weight[i] >= 2));
    for (j : 0 .. OPS - 1) {
      if
      :: isNode[i] && has(set, j) && isAuthorised[j] && isConcurrent(i, j) &&
         ((!adds[i] && has(signers[j], target[i]) && weight[j] <= weight[i] &&
             !(isGrave(j) && has(signers[i], target[i]))) ||
          (adds[i] && isGrave(j) && weight[j] == 1)) -> hits[i] = hits[i] | bit(j)
      :: else
      fi
    }
  }
}

inline attack() {
  for (i : 0 .. OPS - 1) {
    for (j : 0 .. OPS - 1) {
      if
      :: isNode[i] && isNode[j] && i != j && (has(hits[i], j) || (hits[i] & rests[j]) != 0) ->
         attacks[i] = attacks[i] | bit(j)
      :: else
      fi
    }
  }
}

/* reach[i]: what undecided nodes i attacks over any number of undecided ones. */
inline components() {
  for (i : 0 .. OPS - 1) { reach[i] = (has(undecided, i) -> attacks[i] & undecided : 0) }
  for (k : 0 .. OPS - 1) {
    for (i : 0 .. OPS - 1) {
      if :: has(reach[i], k) -> reach[i] = reach[i] | reach[k] :: else fi
    }
  }
  for (i : 0 .. OPS - 1) {
    component[i] = bit(i);
    for (j : 0 .. OPS - 1) {
      if :: has(reach[i], j) && has(reach[j], i) -> component[i] = component[i] | bit(j) :: else fi
    }
  }
}

/* Goes through the ops as they came; a round decides what was free when it began. */
inline decide() {
  undecided = 0; standing = 0; suspending = 0;
  for (i : 0 .. OPS - 1) { if :: isNode[i] -> undecided = undecided | bit(i) :: else fi }
  do
  :: undecided == 0 -> break
  :: else ->
     components();
     w = undecided; told = 0;                       /* told: what falls in this round */
     for (k : 0 .. OPS - 1) {
       i = order[k];
       if
       :: k < count && has(w, i) ->
          isFree = true;
          for (j : 0 .. OPS - 1) {                  /* attacked from outside its component? */
            if
            :: has(w, j) && !has(component[i], j) && (attacks[j] & component[i]) != 0 -> isFree = false
            :: else
            fi
          }
          if
          :: !isFree
          :: isFree && component[i] == bit(i) ->
             standing = standing | bit(i); undecided = undecided & ~bit(i);
             told = told | (attacks[i] & w)
          :: isFree && component[i] != bit(i) ->
             if :: !adds[i] -> suspending = suspending | bit(i) :: else fi;
             undecided = undecided & ~bit(i);
             told = told | (attacks[i] & w & ~component[i])
          fi
       :: else
       fi
     }
     undecided = undecided & ~told
  od
}

inline keep() {
  for (i : 0 .. OPS - 1) {
    isVoid[i] = !isAuthorised[i] || (isNode[i] && !has(standing | suspending, i));
    for (j : 0 .. OPS - 1) {
      if
      :: has(standing | suspending, j) && has(hits[j], i) && !(has(standing | suspending, i) && !adds[i]) ->
         isVoid[i] = true
      :: else
      fi
    }
  }
  /* The first three know only what nobody can touch: they are judged as before. */
  if
  :: has(set, 3) && isVoid[behind] && !(has(standing | suspending, 3) && !adds[3]) -> isVoid[3] = true
  :: else
  fi
}

inline fold() {
  status[A] = ACTIVE; status[B] = ACTIVE; status[C] = ACTIVE; status[D] = ACTIVE;
  status[X] = NOBODY; status[Y] = NOBODY; role = ADMIN; roleWeight = 0;
  for (i : 0 .. OPS - 1) {
    if
    :: has(set, i) && adds[i] && !isVoid[i] ->
       status[target[i]] = ACTIVE;
       if
       :: target[i] == X && weight[i] > roleWeight ->  /* ties of §5.4: greater weight, lower role */
          roleWeight = weight[i]; role = makes[i]
       :: target[i] == X && weight[i] == roleWeight && !makes[i] -> role = MEMBER
       :: else
       fi
    :: has(set, i) && !adds[i] && !isVoid[i] && has(standing, i) -> status[target[i]] = REMOVED
    :: has(set, i) && !adds[i] && !isVoid[i] && has(suspending, i) ->
       if :: status[target[i]] != REMOVED -> status[target[i]] = SUSPENDED :: else fi
    :: else
    fi
  }
}

/* Said without Resolve, of all four ops together. */
inline known_outcomes() {
  for (i : 0 .. OPS - 1) {
    isThere = there[i] && isAuthorised[i];
    for (j : 0 .. OPS - 1) {
      /* Nobody removes a signer of i, in the end: so i counts. */
      if :: there[j] && !adds[j] && has(signers[i], target[j]) -> isThere = false :: else fi
    }
    if
    :: isThere && !adds[i] && has(rests[i], behind) == 0 ->
       assert(status[target[i]] == REMOVED);
       /* A chain: what i's target has done to another is void, unless it is heavier than i, or a third
        * has done the same. */
       for (j : 0 .. 2) {
         if
         :: j != i && has(signers[j], target[i]) && !adds[j] && weight[j] <= weight[i] &&
            isConcurrent(i, j) ->
            allOut = true;
            for (k : 0 .. OPS - 1) {
              if :: k != j && there[k] && !adds[k] && target[k] == target[j] -> allOut = false :: else fi
            }
            if :: allOut -> assert(status[target[j]] == ACTIVE) :: else fi
         :: else
         fi
       }
    :: else
    fi
  }
  /* Three-cycles of equal weight: all three are suspended. */
  if
  :: !there[3] && !adds[0] && !adds[1] && !adds[2] && weight[0] == weight[1] && weight[1] == weight[2] &&
     weight[0] >= 2 && (bit(target[0]) | bit(target[1]) | bit(target[2])) == 7 ->
     assert(status[A] == SUSPENDED && status[B] == SUSPENDED && status[C] == SUSPENDED)
  :: else
  fi;
  /* A device that only voided admins have added is no member. */
  allOut = true;
  for (i : 0 .. 2) {
    if
    :: adds[i] && target[i] == X && isAuthorised[i] ->
       isThere = true;
       for (j : 0 .. OPS - 1) {
         if
         :: there[j] && isAuthorised[j] && !adds[j] && has(signers[i], target[j]) &&
            status[target[j]] != ACTIVE && weight[j] >= weight[i] && isConcurrent(i, j) -> isThere = false
         :: else
         fi
       }
       for (j : 0 .. OPS - 1) {  /* a lighter one, or one that knew of the Add, may be what stands */
         if
         :: there[j] && isAuthorised[j] && !adds[j] && has(signers[i], target[j]) &&
            (weight[j] < weight[i] || !isConcurrent(i, j)) -> isThere = true
         :: else
         fi
       }
       if :: isThere -> allOut = false :: else fi
    :: else
    fi
  }
  if :: allOut -> assert(status[X] == NOBODY) :: else fi
}

inline resolve() {
  ops();
  hit();
#ifdef MUTANT_ALL
  standing = 0; suspending = 0;
  for (i : 0 .. OPS - 1) { if :: isNode[i] -> standing = standing | bit(i) :: else fi }
#else
  attack();
  decide();
#endif
  keep();
  fold();
}

inline tell() {
  told = 0;
  for (i : 0 .. 5) { told = told * 4 + status[i] }
  told = told * 2 + (status[X] == NOBODY -> 0 : role)
}

/* The mutant: who may act, and who is there, as this replica sees it when the op comes. */
inline apply_at_once(r, o) {
  ops();
  told = says[r];
  if :: told == 0 -> told = 2 * 1360 :: else fi;  /* a, b, c and d are active */
  role = told % 2; told = told / 2;
  for (i : 0 .. 5) { status[5 - i] = told % 4; told = told / 4 }
  isThere = isAuthorised[o];
  for (i : 0 .. 5) { if :: has(signers[o], i) && status[i] != ACTIVE -> isThere = false :: else fi }
  if
  :: isThere && adds[o] && status[target[o]] == NOBODY ->
     status[target[o]] = ACTIVE;
     if :: target[o] == X -> role = makes[o] :: else fi
  :: isThere && !adds[o] -> status[target[o]] = REMOVED
  :: else
  fi;
  tell();
  says[r] = told
}

inline take(r, o) {
  came(r, length[r]) = o; length[r]++;
#ifdef MUTANT_ARRIVAL
  apply_at_once(r, o)
#else
  set = 0; count = length[r];
  for (i : 0 .. OPS - 1) { order[i] = came(r, i) }
  for (i : 0 .. OPS - 1) { if :: i < count -> set = set | bit(order[i]) :: else fi }
  resolve();
  if :: count == 3 + (wayNew > 0) -> known_outcomes() :: else fi;
  tell();
  says[r] = told
#endif
}

inline contents(r, result) {
  result = 0;
  for (i : 0 .. OPS - 1) { if :: i < length[r] -> result = result | bit(came(r, i)) :: else fi }
}

/* One op comes, perhaps again, perhaps too early. */
inline receive(r, o) {
  contents(r, k);
  if
  :: has(k, o)                                    /* known: nothing changes */
  :: !has(k, o) && o == 3 && !has(k, behind) -> waits[r] = true
  :: else ->
     take(r, o);
     if
     :: o == behind && waits[r] -> waits[r] = false; take(r, 3)
     :: else
     fi
  fi;
  contents(0, k);
  contents(1, w);
  assert(k != w || says[0] == says[1])
}

proctype Replica(byte me) {
  byte o;
#ifdef TABLE
  d_step {
    do
    :: o < 3 + (wayNew > 0) -> take(me, o); o++
    :: else -> break
    od;
    printf("= %d %d %d %d %d : %d %d %d %d %d %d %d\n", way[0], way[1], way[2], wayNew, behind,
      status[A], status[B], status[C], status[D], status[X], status[Y], (status[X] == NOBODY -> 0 : role))
  }
#else
end:
  do
  :: atomic { select(o : 0 .. 2 + (wayNew > 0)); d_step { receive(me, o); o = 0 } }
  od
#endif
}

init {
  byte what;
  select(what : 0 .. WAYS - 1); way[0] = what;
  select(what : 0 .. WAYS - 1); way[1] = what;
  select(what : 0 .. WAYS - 1); way[2] = what;
  if
  :: wayNew = 0
  :: atomic { way[0] == 2 -> behind = 0 }; select(what : 1 .. WAYS_NEW); wayNew = what
  :: atomic { way[1] == 2 -> behind = 1 }; select(what : 1 .. WAYS_NEW); wayNew = what
  :: atomic { way[2] == 2 -> behind = 2 }; select(what : 1 .. WAYS_NEW); wayNew = what
  fi;
  atomic {
    what = 0;
    run Replica(0);
#ifndef TABLE
    run Replica(1)
#endif
  }
}
