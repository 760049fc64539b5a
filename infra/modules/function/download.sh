# Downloads $URL to $FILE, unless $FILE has the checksum already. Several functions may download the same file at once.
set -eu
verify() {
  if command -v sha256sum >/dev/null; then sum=$(sha256sum "$1"); else sum=$(shasum -a 256 "$1"); fi
  [ "${sum%% *}" = "$SHA256" ]
}
if [ -f "$FILE" ] && verify "$FILE"; then exit 0; fi
mkdir -p "$(dirname "$FILE")"
part="$FILE.$$"
trap 'rm -f "$part"' EXIT
curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$part" "$URL"
if ! verify "$part"; then
  echo "$URL does not have the SHA-256 $SHA256" >&2
  exit 1
fi
mv "$part" "$FILE"
