PRAGMA application_id = 1178817602;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE accuracy (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    readout TEXT NOT NULL,
    probe TEXT NOT NULL,
    accuracy REAL,
    low REAL,
    high REAL,
    bayes_accuracy REAL,
    n_eval INTEGER NOT NULL,
    PRIMARY KEY (run_id, readout, probe)
) STRICT;
INSERT INTO "accuracy" VALUES('raw-0.5-0','joint','linear',3.24420895363611072603e-01,3.14420895363611063721e-01,3.34420895363611081485e-01,0.55,2000);
INSERT INTO "accuracy" VALUES('raw-0.5-1','joint','linear',3.32946733450976195545e-01,3.22946733450976186663e-01,3.42946733450976204427e-01,0.55,2000);
CREATE TABLE axis (
    place INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "axis" VALUES(0,'a');
CREATE TABLE captured (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    readout TEXT NOT NULL,
    quantity TEXT NOT NULL,
    estimator TEXT NOT NULL,
    bound TEXT NOT NULL CHECK (bound IN ('lower', 'upper', 'exact', 'none')),
    value_bits REAL,
    low_bits REAL,
    high_bits REAL,
    true_bits REAL,
    ceiling_bits REAL,
    n_eval INTEGER NOT NULL,
    PRIMARY KEY (run_id, readout, quantity, estimator)
) STRICT;
INSERT INTO "captured" VALUES('raw-0.5-0','joint','label','linear_probe','lower',1.07454726303019909572e+00,1.05454726303019907795e+00,1.09454726303019911348e+00,2.0,2.0,2000);
INSERT INTO "captured" VALUES('raw-0.5-0','joint','w_s[0]','linear_probe','lower',5.82385192688648634096e-01,5.62385192688648616332e-01,6.02385192688648651859e-01,1.0,1.0,2000);
INSERT INTO "captured" VALUES('raw-0.5-1','joint','label','linear_probe','lower',1.10952506031169706446e+00,1.08952506031169704669e+00,1.12952506031169708222e+00,2.0,2.0,2000);
INSERT INTO "captured" VALUES('raw-0.5-1','joint','w_s[0]','linear_probe','lower',6.05043495508567508167e-01,5.85043495508567490404e-01,6.25043495508567525931e-01,1.0,1.0,2000);
CREATE TABLE cell (
    run_id TEXT NOT NULL,
    axis_values TEXT NOT NULL CHECK (json_valid(axis_values)),
    PRIMARY KEY (run_id, axis_values)
) STRICT;
INSERT INTO "cell" VALUES('raw-0.5-0','[1]');
INSERT INTO "cell" VALUES('raw-0.5-1','[1]');
CREATE TABLE digest (
    run_id TEXT PRIMARY KEY NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
INSERT INTO "digest" VALUES('','423a66b999b3c7262cec0ef61d3cc081d69eb067a13178e1dd135275dc616485');
INSERT INTO "digest" VALUES('raw-0.5-0','41217c9586b92a36cd04db73b50a03c3610ff5d18351f9086ee260f5e363df04');
INSERT INTO "digest" VALUES('raw-0.5-1','35877db4797773a629834b6f71dff822940c5e870ed62ef01a2f882286ea7bc7');
CREATE TABLE run (
    run_id TEXT PRIMARY KEY NOT NULL,
    method TEXT NOT NULL,
    variant TEXT NOT NULL,
    preset TEXT NOT NULL,
    unique_ratio REAL NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'diverged', 'failed')),
    reason TEXT NOT NULL,
    seconds REAL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    truth TEXT NOT NULL CHECK (json_valid(truth)),
    provenance TEXT NOT NULL CHECK (json_valid(provenance)),
    diagnostics TEXT NOT NULL CHECK (json_valid(diagnostics)),
    warnings TEXT NOT NULL CHECK (json_valid(warnings))
) STRICT;
INSERT INTO "run" VALUES('raw-0.5-0','raw','paper','quick',0.5,0,'ok','',1.5,'{"seed":0}','{}','{}','{}','["3 dead units in z_u1"]');
INSERT INTO "run" VALUES('raw-0.5-1','raw','paper','quick',0.5,1,'ok','',1.5,'{"seed":1}','{}','{}','{}','[]');
CREATE TABLE sweep (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    digest TEXT NOT NULL,
    created TEXT NOT NULL,
    fctestbed_version TEXT NOT NULL,
    schema_version INTEGER NOT NULL
) STRICT;
INSERT INTO "sweep" VALUES(1,'{"seeds":[0,1]}','digest','2026-11-26T16:46:58+00:00','0.1.0',3);
COMMIT;
