// What OPEN.md in an export says: the text of seal/OPEN.md, which a test compares.

export const openMD = `# Your record, and how to open it

This folder is everything of your record that the clinic kept for you. You do not need Ward, the clinic or the internet to open it. You need two things:

- your **recovery code**: seven groups of four letters and digits, on the sheet you printed or wrote down;
- **age**, a small free program (<https://age-encryption.org>), version 1.3 or later. Many systems have it: \`apt install age\`, \`brew install age\`, \`winget install age\`.

If you have Ward, \`ward open\` does all of this, checks every signature as well, and writes out readable files.

Anyone who has your recovery code and this folder can read your record. Keep them apart, and delete what you open when you no longer need it.

## With age alone

In a terminal (Terminal on a Mac, any shell on Linux, Git Bash on Windows), in this folder:

\`\`\`sh
# 1. Your keys. age asks for a passphrase: type your recovery code as it is printed, in capitals, with the hyphens.
age -d keyring.recovery.age > keyring.txt

# 2. The keys of your record, which are sealed to yours.
for grant in grants/*.age; do age -d -i keyring.txt "$grant"; done > locks.txt

# 3. Everything in it.
mkdir -p opened
for entry in entries/*.age; do
  name=opened/$(basename "$entry" .age)
  age -d -i locks.txt "$entry" > "$name.content"
  header=$(sed -n 2p "$name.content")
  size=$(printf %s "$header" | sed 's/.*"size":\\([0-9]*\\),"sha256":"[^"]*"}$/\\1/')
  printf '%s\\n' "$header" > "$name.header.json"
  case $header in
    *'","encoding":"gzip",'*) tail -n +4 "$name.content" | head -c "$size" | gunzip > "$name.body" ;;
    *) tail -n +4 "$name.content" | head -c "$size" > "$name.body" ;;
  esac
  rm "$name.content"
done
\`\`\`

Then \`opened\` holds two files for each thing in your record: \`.header.json\` says what it is, who wrote it and when, and \`.body\` is the thing itself. A body of type \`application/fhir+json\` is a medical record in the
format FHIR R4, which other clinics can import; any text editor shows it. Other bodies are files: rename them to the \`filename\` in the header.

One of them alone, for example: \`age -d -i locks.txt entries/NAME.age | tail -n +4\`. (Some empty lines may follow what was written. They hide how long it is.)

## What is here

| | |
|---|---|
| \`keyring.recovery.age\` | your keys, sealed with your recovery code |
| \`grants/*.age\` | the keys of your record, sealed to yours |
| \`entries/*.age\` | your record, one file for each thing in it, in the order they came |
| \`entries/*.txt\`, \`epochs/*.txt\`, \`membership/*/*.txt\`, \`browsers/*.txt\`, \`clinic.txt\` | signed statements of who wrote what, with which keys: they prove that nothing was changed, and hold nothing private |
| \`recipients/*.txt\` | public keys of those who wrote, which the statements name |
| \`access.jsonl\` | who looked at your record, one event on each line |
| \`export.json\` | what this folder has, so that a missing file is noticed |
`
