DROP TABLE deliveries;
DROP TABLE lanes;
DROP TABLE event_bodies;
DROP TABLE events;
DROP TABLE receipts;
DROP TABLE channel_secrets;
DROP TABLE channels;
