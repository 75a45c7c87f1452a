#!/usr/bin/env bash
# A client for the command line, written from docs/protocol.md alone; comments name the page's sections.
# Needs bash 5 and websocat 1, which passes each message as a line in base64:
#
#     cargo install websocat --version 1.14.1 --locked
#     ./client.sh ws://127.0.0.1:8080/play Ada
#
# WEBSOCAT names the program where it is not in the path.
#
# Of keyframes it reads the ships up to its own, of other frames the tick and the margin; its name has to be
# ASCII. All else is as in the client in Python beside it, with the same names.
set -euo pipefail
export LC_ALL=C

SUB_PROTOCOL=gamekeeper.7
# "The arena's tables": what Hello has to give (0x78cdd973bad82ebe, lowest byte first), and the table of ships.
PROTOCOL=(0xbe 0x2e 0xd8 0xba 0x73 0xd9 0xcd 0x78)
# Bits of each field; s: signed, g and its order: "usually". The place, x and y, follows the record.
SHIP=(aim:10 controls:7 lag:g4 vx:16s vy:16s hp:7 mend:g0 energy:10 heading:12 cooldown:g0 shots:5
  protect:g0 overdrive:g0 spark:7 team:g0 player:g8)
PLACE_ORDER=20 PLACE_STEPS_PER_UNIT=256
EAST=1 SOUTH=5 FIRE=32
NO_MARGIN=-128
# How early inputs shall come before their tick, in 1/8 tick, and what the first is ahead of the frames, in ticks.
MARGIN_MIN=4 MARGIN_MAX=20 AHEAD=3
# In quarters of a tick; up to 15 it is a code of five bits, and this client writes no longer ones.
LAG_MAX=15
PLAY_SECONDS=4 PATIENCE_SECONDS=20

fail() {
  echo "$*" >&2
  exit 1
}

# Lines of websocat: a message in base64 after this prefix.

PREFIX=B
ALPHABET=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
declare -A SEXTET
for ((i = 0; i < 64; i++)); do SEXTET[${ALPHABET:i:1}]=$i; done

# send BYTE...
send() {
  local out=$PREFIX i group left
  for ((i = 1; i <= $#; i += 3)); do
    left=$(($# - i + 1))
    group=$((${!i} << 16))
    if ((left > 1)); then group=$((group | ${@:i+1:1} << 8)); fi
    if ((left > 2)); then group=$((group | ${@:i+2:1})); fi
    out+=${ALPHABET:group >> 18:1}${ALPHABET:group >> 12 & 63:1}
    if ((left > 1)); then out+=${ALPHABET:group >> 6 & 63:1}; else out+==; fi
    if ((left > 2)); then out+=${ALPHABET:group & 63:1}; else out+==; fi
  done
  echo "$out" 2>/dev/null >&"$to" || fail "the connection ended after $SECONDS s"
}

# decode BASE64: its bytes into `message`, with `at` at the first.
decode() {
  local line=${1%%=*} i sum=0 bits=0
  message=() at=0
  for ((i = 0; i < ${#line}; i++)); do
    sum=$(((sum << 6 | SEXTET[${line:i:1}]) & 0xffff)) bits=$((bits + 6))
    if ((bits >= 8)); then
      bits=$((bits - 8))
      message+=($((sum >> bits & 255)))
    fi
  done
}

# "Building blocks". What reads leaves its answer in `got`; `at` counts bytes in control messages and bits in frames.

byte() {
  got=${message[at++]}
}

varint() {
  local i width=0 value=0
  byte
  case $got in 251) width=2 ;; 252) width=4 ;; 253) width=8 ;; *) return ;; esac
  for ((i = 0; i < width; i++)); do
    byte
    value=$((value | got << 8 * i))
  done
  got=$value
}

text() {
  local length escaped= letter
  varint
  for ((length = got; length > 0; length--)); do
    byte
    printf -v letter '\\x%02x' "$got"
    escaped+=$letter
  done
  printf -v got '%b' "$escaped"
}

take() {
  local i
  got=0
  for ((i = 0; i < $1; i++, at++)); do
    got=$((got | (message[at >> 3] >> (at & 7) & 1) << i))
  done
}

golomb() {
  local zeros=0
  while take 1 && ((got == 0)); do zeros=$((zeros + 1)); done
  take $((zeros + $1))
  got=$((got + (1 << (zeros + $1)) - (1 << $1)))
}

unfold() {
  if ((got % 2)); then got=$((-(got + 1) / 2)); else got=$((got / 2)); fi
}

# What is sent: "Control messages to the server", "Input"

# quoted TEXT: its length and bytes into `got`.
quoted() {
  local i letter
  got=("${#1}")
  for ((i = 0; i < ${#1}; i++)); do
    printf -v letter '%d' "'${1:i:1}"
    got+=("$letter")
  done
}

hello() {
  local nobody=(0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0) got
  quoted "$name"
  send 0 0 253 "${PROTOCOL[@]}" "${got[@]}" 0 "${nobody[@]}" 0 0
}

chat() {
  local got
  quoted "$line"
  send 0 1 0 "${got[@]}"
}

resync() {
  send 0 2 252 $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)) 0
}

# controls TICK DECODED AIM PRESSED LAG
controls() {
  local record=$(($3 | $4 << 10 | 1 << 17 | $5 << 18))
  send 1 $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)) $(($2 & 255)) \
    $((record & 255)) $((record >> 8 & 255)) $((record >> 16))
}

# What comes: "Control messages to the client"

control() {
  local told_name sender
  byte
  varint
  case $got in
    0)
      varint && number=$got
      text && name=$got
      varint # the tick
      varint # the setup's length
      varint # size
      at=$((at + 4 + 4 + 1)) # rock_density, pickup_density, friendly_fire
      varint # seed
      varint && tick_rate=$got
      ;;
    1)
      byte # everybody
      varint
      for ((count = got; count > 0; count--)); do
        varint && sender=$got
        text && told_name=$got
        at=$((at + 5)) # computer, team, watching, host, muted
        if [[ $sender = "$number" && $told_name = "$name" ]]; then listed=true; fi
      done
      ;;
    3)
      byte
      if ((got == 0)); then return; fi
      varint && sender=$got
      byte # team
      text
      if [[ $sender = "$number" && $got = "$line" ]]; then heard=true; fi
      ;;
    8) byte && phase=$got ;;
  esac
}

# "Frames"

keyframe() {
  local count id=-1 field width first_x= first_y= x y player
  at=8
  take 32 && tick=$got
  take 8 && margin=$((got - (got >> 7 << 8)))
  decoded=$tick keyframed=$tick
  keyframes=$((keyframes + 1))
  take 1
  if ((got == 0)); then return; fi
  golomb 0
  for ((count = got; count > 0; count--)); do
    if ((id < 0)); then golomb 12 && id=$got; else golomb 5 && id=$((id + 1 + got)); fi
    for field in "${SHIP[@]}"; do
      width=${field#*:}
      case $width in g*) golomb "${width#g}" ;; *) take "${width%s}" ;; esac
      if [[ $field = player:* ]]; then player=$got; fi
    done
    if [[ -z $first_x ]]; then
      golomb $PLACE_ORDER && unfold && first_x=$got x=$got
      golomb $PLACE_ORDER && unfold && first_y=$got y=$got
    else
      golomb $((PLACE_ORDER - 2)) && unfold && x=$((first_x + got))
      golomb $((PLACE_ORDER - 2)) && unfold && y=$((first_y + got))
    fi
    if ((player == number)); then
      see "$id" "$x" "$y"
      return
    fi
  done
}

# see ID X Y: how far the own ship is from where it was first seen, as long as it is the same ship.
see() {
  local square root
  if [[ $1 != "$ship" ]]; then ship=$1 start_x=$2 start_y=$3; fi
  square=$((($2 - start_x) ** 2 + ($3 - start_y) ** 2)) root=0
  while (((root + PLACE_STEPS_PER_UNIT) ** 2 <= square)); do root=$((root + PLACE_STEPS_PER_UNIT)); done
  if ((root / PLACE_STEPS_PER_UNIT > moved)); then moved=$((root / PLACE_STEPS_PER_UNIT)); fi
}

# A new tick. Without the rules a delta is no more than that.
frame() {
  local frames
  margin=$NO_MARGIN
  if ((message[0] % 8 == 3)); then
    keyframe
  elif [[ $tick ]]; then
    # "Without the game's rules": as many frames as the message before had.
    frames=$((((message[0] >> 3) - tick) & 31))
    tick=$((tick + frames)) decoded=$((tick + frames - 1))
    margin=$((message[1] - (message[1] >> 7 << 8)))
    deltas=$((deltas + 1))
  fi
  first=${first:-$tick}
  steer
}

# Later or earlier by a tick, and then no more until that can have shown: half a second.
steer() {
  local change=0
  if ((margin == NO_MARGIN || tick - steered < tick_rate / 2)); then return; fi
  if ((margin < MARGIN_MIN)); then change=1; elif ((margin > MARGIN_MAX)); then change=-1; fi
  if ((change)); then ahead=$((ahead + change)) steered=$tick; fi
}

# What to send after a frame: an input, and each second the wish for a keyframe.
answers() {
  local pressed=$((SOUTH | FIRE)) lag input_tick=$((tick + ahead))
  if ((tick - first < tick_rate * PLAY_SECONDS * 5 / 8)); then pressed=$EAST; fi
  if ((input_tick > sent)); then
    lag=$((4 * (input_tick - keyframed)))
    controls "$input_tick" "$decoded" 256 "$pressed" $((lag < LAG_MAX ? lag : LAG_MAX))
    sent=$input_tick inputs=$((inputs + 1))
  fi
  if [[ -z $asked ]]; then chat && asked=$tick; fi
  # From the last keyframe on, as a wish that comes within a second of a granted one is forgotten.
  if ((tick - (asked > keyframed ? asked : keyframed) >= tick_rate)); then resync "$tick" && asked=$tick; fi
}

play() {
  local received
  command -v "$websocat" >/dev/null || fail "websocat is missing; cargo install websocat --version 1.14.1 --locked"
  coproc SOCKET {
    exec "$websocat" --exit-on-eof --text --base64 --binary-prefix=$PREFIX --protocol=$SUB_PROTOCOL \
      --close-status-code=1000 "$address"
  }
  # Copies, as bash closes its own once websocat has ended.
  exec {from}<&"${SOCKET[0]}" {to}>&"${SOCKET[1]}" {SOCKET[1]}>&-
  local pid=$SOCKET_PID
  SECONDS=0
  hello
  while ((SECONDS < PATIENCE_SECONDS)) && read -r -t $PATIENCE_SECONDS -u "$from" received; do
    decode "${received#"$PREFIX"}"
    if ((message[0] % 8 == 0)); then
      control
      continue
    fi
    frame
    answers
    if ((tick - first >= tick_rate * PLAY_SECONDS)); then
      # "Closing": websocat says goodbye with 1000 when nothing more is to come, and the server answers.
      exec {to}>&-
      while read -r -t $PATIENCE_SECONDS -u "$from" received; do :; done
      wait "$pid" || fail "websocat failed"
      [[ $listed && $phase ]] || fail "neither the roster nor the phase may be missing"
      printf '{"player":%d,"name":"%s","keyframes":%d,"deltas":%d,"moved":%d,"heard":%s,"inputs":%d}\n' \
        "$number" "$name" $keyframes $deltas $moved $heard $inputs
      return
    fi
  done
  fail "the connection ended after $SECONDS s"
}

websocat=${WEBSOCAT:-websocat} address=$1 name=$2
# That a connection is gone shall be told, not end the script.
trap '' PIPE
line="$name says hello"
number= tick_rate= phase= listed= heard=false
# `tick` is that of the newest message's first frame, `decoded` that of its last as far as one can tell.
tick= decoded= keyframed= first= asked= sent=0 ahead=$AHEAD steered=0
ship= start_x=0 start_y=0 moved=0
keyframes=0 deltas=0 inputs=0
play
