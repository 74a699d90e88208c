#!/bin/sh
# Makes tests/data/grafana/dashboard-schema.json out of the types that Grafana publishes (npm, Apache-2.0): the shape of
# a dashboard, and of the options of the kinds of panels that ours use. Needs node and npm; run it for another Grafana.
set -eu

version="${1:-12.4.0}"
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log
npm install --no-audit --no-fund "@grafana/schema@$version" ts-json-schema-generator@2.4.0 >> npm.log

types=./node_modules/@grafana/schema/dist/types/raw
panel() { echo "$types/composable/$1/panelcfg/x/types.gen"; }
cat > shown.ts <<TYPES
import type { Dashboard } from '$types/dashboard/x/types.gen';
import type * as stat from '$(panel stat)';
import type * as bargauge from '$(panel bargauge)';
import type * as timeseries from '$(panel timeseries)';
import type * as statetimeline from '$(panel statetimeline)';
import type * as table from '$(panel table)';
export interface Shown {
  dashboard: Dashboard;
  options: {
    stat: stat.Options; bargauge: bargauge.Options; timeseries: timeseries.Options;
    'state-timeline': statetimeline.Options; table: table.Options;
  };
  custom: { timeseries: timeseries.FieldConfig; 'state-timeline': statetimeline.FieldConfig; table: table.FieldConfig };
}
TYPES
cat > tsconfig.json <<'OPTIONS'
{"compilerOptions": {"module": "esnext", "moduleResolution": "bundler", "skipLibCheck": true, "strict": true, "types": []}, "files": ["shown.ts"]}
OPTIONS
npx ts-json-schema-generator --path shown.ts --type Shown --tsconfig tsconfig.json --no-type-check --expose none -o whole.json
"${PYTHON:-python3}" - "$version" whole.json "$root/tests/data/grafana/dashboard-schema.json" <<'SHORTEN'
import json, pathlib, sys

def bare(part):
    if isinstance(part, list):
        return [bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {k: bare(v) for k, v in part.items() if k not in ("description", "deprecated") or not isinstance(v, (str, bool))}

version, source, target = sys.argv[1:]
made = bare(json.loads(pathlib.Path(source).read_text(encoding="utf-8"))["definitions"]["Shown"]["properties"])
about = f"Made by scripts/make_grafana_schema.sh from @grafana/schema {version}, Apache-2.0, Grafana Labs."
whole = {"$comment": about, **made}
pathlib.Path(target).write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")
SHORTEN
echo "made tests/data/grafana/dashboard-schema.json"
